//! What is seen of Dockerfiles.

use super::*;

/// The stages of a Dockerfile as `FROM AS NAME`, and the line of an instruction that does not end.
fn seen(text: &str) -> (Vec<String>, Option<usize>) {
    let outline = Outline::of(text);
    let word = |stage: &Stage| match &stage.name {
        Some(name) => format!("{} as {name}", stage.from),
        None => stage.from.clone(),
    };
    (outline.stages.iter().map(word).collect(), outline.unended)
}

#[test]
fn stages_are_found_and_nothing_is_taken_for_one() {
    let cases: [(&str, &[&str]); 17] = [
        ("", &[]),
        ("FROM a\n", &["a"]),
        ("\u{feff}FROM a AS x\r\nfrom b as Final\r\n", &["a as x", "b as final"]),
        ("ARG B=1\n  FROM --platform=$BUILDPLATFORM a:$B AS x", &["a:$B as x"]),
        ("FROM a \\\n# no\n\n  AS x\n", &["a as x"]),
        ("FROM a\nRUN echo \\\nFROM b AS x\n", &["a"]),
        ("FROM a\nRUN echo \\\\\nFROM b AS x\n", &["a", "b as x"]),
        ("# escape=`\nFROM a\nRUN echo `\nFROM b\nRUN dir \\\nFROM c\n", &["a", "c"]),
        ("# a comment\n# escape=`\nFROM a\nRUN echo `\nFROM b\n", &["a", "b"]),
        ("FROM a\nRUN <<EOF cat <<-'TWO'\nFROM b\nEOF\nFROM c\n\tTWO\nFROM d\n", &["a", "d"]),
        ("FROM a\nONBUILD COPY <<\"X\" /x\nFROM b\nX\nFROM c\n", &["a", "c"]),
        ("FROM a\nRUN [\"echo\", \"<<EOF\", \" <<EOF\"]\nFROM b\n", &["a", "b"]),
        ("FROM a\nRUN echo 'a <<EOF' \"\\\" <<EOF\" \\\" 1<<2<3\nFROM b\n", &["a", "b"]),
        ("FROM a\nENV X <<EOF\nFROM b\n# FROM c\n", &["a", "b"]),
        ("FROM a\nRUN <<EOF\n\tEOF\nFROM b\nEOF\nFROM c\n", &["a", "c"]),
        ("FROM a\nRUN cat << EOF\nFROM b\n", &["a", "b"]),
        ("FROM a\nRUN echo 'a\\' <<EOF\nFROM b\nEOF\n", &["a"]),
    ];
    for (text, stages) in cases {
        let (seen, unended) = seen(text);
        assert_eq!(seen, stages, "{text}");
        assert_eq!(unended, None, "{text}");
    }
}

#[test]
fn an_instruction_that_does_not_end_is_known_by_its_line() {
    for (text, line) in [
        ("FROM a\nRUN echo b \\", Some(2)),
        ("FROM a\nRUN echo b \\\n\n# c\n \n", Some(2)),
        ("FROM a\nRUN echo b \\\n  && echo c\\ \t\n", Some(2)),
        ("FROM a\n# escape=`\nRUN echo b `\n", None),
        ("# escape=`\nFROM a\nRUN echo b `\n", Some(3)),
        ("FROM a\nRUN <<EOF\necho b\n", Some(2)),
        ("FROM a\nRUN <<EOF\necho b \\\nEOF\n", None),
        ("FROM a\n# b \\\n", None),
    ] {
        assert_eq!(seen(text).1, line, "{text}");
    }
}

#[test]
fn a_target_is_a_name_in_any_case_or_a_number() {
    let outline = Outline::of("# syntax=docker/dockerfile:1\nFROM a AS Final\nFROM b\n");
    assert!(outline.has_syntax && !Outline::of("FROM a\n# syntax=b\n").has_syntax);
    for (target, has) in
        [("final", true), ("FINAL", true), ("0", true), ("1", true), ("2", false), ("a", false)]
    {
        assert_eq!(outline.has(target), has, "{target}");
    }
}
