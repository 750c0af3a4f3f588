//! Plugins as real processes: good ones, and ones that do everything wrong. Needs `cc` and `python3`, no lab.
//!
//! Each file is a topic. A test makes a [`kit::Bench`] of its own, writes a plugin in a few lines, and looks at
//! what is said of it and what is left of it. Only the limit that a test is about is shortened, so that a slow
//! machine changes nothing.
//!
//! What plugins may do to us, each with the test that has one do it, in [`hostile`] where nothing else is said:
//!
//! | what | test |
//! | --- | --- |
//! | garbage on stdout | `lines::garbage_on_stdout` |
//! | an endless line | `floods::an_endless_line` |
//! | a gigabyte of stray lines | `floods::a_gigabyte_of_stray_lines` |
//! | a gigabyte of events | `floods::a_gigabyte_of_events` |
//! | a gigabyte on stderr | `floods::a_gigabyte_on_stderr` |
//! | no hello | `calls::no_hello` |
//! | no answer | `calls::no_answer` |
//! | ignores cancel and TERM | `calls::cancel_and_term_are_ignored` |
//! | never reads stdin | `calls::stdin_is_never_read` |
//! | closes stdout early | `calls::stdout_is_closed_early` |
//! | exits mid-call | `calls::it_exits_in_a_call` |
//! | truncated JSON | `lines::truncated_json`, `lines::a_line_without_an_end_at_the_end` |
//! | wrong id | `lines::a_wrong_id` |
//! | two results | `lines::two_results` |
//! | wrong types | `lines::wrong_types` |
//! | a million `[` | `lines::a_million_opening_brackets` |
//! | bad UTF-8 | `lines::bad_utf_8` |
//! | wrong protocol | `calls::the_protocol_is_another` |
//! | wrong provider | `calls::the_provider_is_another` |
//! | a grandchild that keeps stdout open | `calls::a_grandchild_keeps_stdout_open` |
//! | reads the terminal | `calls::the_terminal_is_read` |
//! | missing symbol | `libraries::the_symbol_is_missing` |
//! | wrong ABI | `libraries::the_abi_is_another` |
//! | wrong architecture | `libraries::the_architecture_is_another`, `files::it_is_a_program_for_another_machine` |
//! | abort in a constructor | `libraries::a_constructor_aborts` |
//! | truncated library | `libraries::the_library_is_truncated` |
//! | FIFO named `.so` | `libraries::a_pipe_is_named_as_a_library` |
//! | panic | `libraries::a_panic_that_nobody_catches`, `libraries::it_says_that_it_has_panicked`; one that our crate catches: `carriers`, `same_everywhere::a_panic_is_the_same_failure_in_every_carrier_of_rust` |
//! | `panic=abort` | `libraries::a_panic_that_aborts` |
//! | `exit()` inside a call | `libraries::it_exits_in_a_call` |
//! | SIGSEGV | `libraries::it_writes_where_nothing_is` |
//! | `send(NULL)` | `libraries::null_is_sent` |
//! | late `send` after return | `libraries::a_thread_sends_after_the_end` |
//! | missing shebang | `files::the_shebang_is_missing` |
//! | CRLF shebang | `files::the_shebang_has_a_carriage_return` |
//! | text-busy | `files::it_is_written_to` |
//! | symlink loop in a plugin folder | `places::a_loop_of_links` |
//! | a hundred thousand files in a plugin folder | `places::a_hundred_thousand_files` |
//! | non-UTF-8 names | `places::a_name_that_is_not_utf_8` |
//! | empty and `.` entries in PATH | `places::entries_of_path_that_are_empty_or_the_working_directory` |
//! | clash with a built-in | `places::the_name_of_one_that_is_built_in` |
//! | file differs from the lock | `places::the_file_is_not_the_one_in_the_lock` |
//! | echoes a secret | `calls::a_secret_is_echoed` |
//! | starts `cloudpad` recursively | `calls::cloudpad_is_started_recursively` |
//! | world-writable plugin | `places::a_plugin_that_everybody_may_write_to` |
//! | world-writable folder | `places::a_folder_that_everybody_may_write_to` |
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod breach;
mod calls;
mod choose;
mod ending;
mod flood;
mod hello;
mod hostile;
mod kit;
mod launch;
mod leave;
mod library;
mod program;
