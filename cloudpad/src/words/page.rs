//! The page that a service in maintenance shows. Pure.

/// A page with this text, which may be anything.
pub fn maintenance(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('\n', "<br>\n");
    format!(
        "<!doctype html>\n<html>\n<head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>Maintenance</title></head>\n<body style=\"font: 1.2em/1.5 sans-serif; margin: 20vh auto; max-width: 30em; text-align: center\">\n\
         <p>{text}</p>\n</body>\n</html>\n"
    )
}

#[cfg(test)]
mod tests {
    #[test]
    fn text_is_text() {
        let page = super::maintenance("<script>a & b</script>\nsoon");
        assert!(page.contains("<p>&lt;script&gt;a &amp; b&lt;/script&gt;<br>\nsoon</p>"), "{page}");
    }
}
