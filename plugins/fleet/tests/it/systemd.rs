//! How systemd reads a command of a unit, written from its manual, for tests. Pure.

/// What systemd makes of an `Exec…=` value, written from its manual: nothing is put in for a specifier but `%`, `%i`
/// and `%p`, and none of a variable. Panics where systemd would complain or put in something.
pub fn read(value: &str, prefix: &str, instance: &str) -> Vec<String> {
    let joined = value.replace("\\\n", " ");
    let mut words = Vec::new();
    let mut rest = joined.chars().peekable();
    loop {
        while rest.next_if(|c| c.is_ascii_whitespace()).is_some() {}
        if rest.peek().is_none() {
            return words
                .into_iter()
                .map(|word: Vec<u8>| put_in(&String::from_utf8(word).unwrap(), prefix, instance))
                .collect();
        }
        assert_ne!(rest.peek(), Some(&';'), "another command");
        let (mut word, mut quote) = (Vec::new(), None);
        while let Some(c) = rest.next_if(|c| quote.is_some() || !c.is_ascii_whitespace()) {
            match c {
                '"' | '\'' if quote.is_none() => quote = Some(c),
                c if quote == Some(c) => quote = None,
                '\\' => match rest.next().unwrap() {
                    'n' => word.push(b'\n'),
                    't' => word.push(b'\t'),
                    'x' => {
                        let hex: String = [rest.next().unwrap(), rest.next().unwrap()].iter().collect();
                        word.push(u8::from_str_radix(&hex, 16).unwrap());
                    }
                    c @ ('"' | '\\') => word.push(c as u8),
                    other => panic!("systemd does not know \\{other}"),
                },
                c => word.extend(c.to_string().bytes()),
            }
        }
        assert_eq!(quote, None, "an open quote");
        words.push(word);
    }
}

fn put_in(word: &str, prefix: &str, instance: &str) -> String {
    let specified = put_in_for(word, '%', &[('%', "%"), ('i', instance), ('p', prefix)]);
    put_in_for(&specified, '$', &[('$', "$")])
}

fn put_in_for(word: &str, mark: char, known: &[(char, &str)]) -> String {
    let mut read = String::new();
    let mut rest = word.chars();
    while let Some(c) = rest.next() {
        if c == mark {
            let what = rest.next().unwrap();
            read.push_str(known.iter().find(|(name, _)| *name == what).unwrap().1);
        } else {
            read.push(c);
        }
    }
    read
}
