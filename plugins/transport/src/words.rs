//! Command lines for a host's shell: the one place where words are quoted. Pure.

/// The line that stands for a command. A single word is a line already, for the shell to understand; several are a
/// program and its arguments, as they are.
pub(crate) fn line(command: &[String]) -> String {
    match command {
        [line] => line.clone(),
        words => words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" "),
    }
}

/// A word that any shell takes as it is.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "%+,-./:=@_".contains(c);
    match !word.is_empty() && word.chars().all(plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', "'\\''")),
    }
}

/// A line that does the same with no input, and ends with all that it has started when its input ends: an SSH server
/// leaves running what it has started when the connection goes. Each command of an SSH server is a process group of
/// its own. The level keeps bash from reading its `.bashrc` once more, which the shell before it has done.
pub(crate) fn ending_with_its_input(line: &str) -> String {
    const SCRIPT: &str = "exec 3<&0 </dev/null; (cat <&3; kill -TERM 0) >/dev/null 2>&1 & w=$!; exec 3<&-; \
                          SHLVL=1 \"${SHELL:-/bin/sh}\" -c \"$1\"; s=$?; kill $w 2>/dev/null; exit $s";
    format!("exec /bin/sh -c {} sh {}", quoted(SCRIPT), quoted(line))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    fn shell(line: &str) -> String {
        let output = Command::new("sh").args(["-c", line]).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    }

    #[test]
    fn several_words_are_what_they_are() {
        let words = ["printf", "<%s>", "a b", "it's", "$HOME `id` \\n", "", "*", "a\nb", "-n", "ä"];
        let words: Vec<_> = words.map(str::to_owned).to_vec();
        assert_eq!(shell(&line(&words)), "<a b><it's><$HOME `id` \\n><><*><a\nb><-n><ä>");
    }

    #[test]
    fn one_word_is_a_line_of_the_shell() {
        assert_eq!(shell(&line(&["echo a | tr a b".to_owned()])), "b\n");
        assert_eq!(line(&["df".to_owned(), "-h".to_owned()]), "df -h");
    }
}
