//! Rows of cells as lines of text. Pure.

/// A line for each row, each column as wide as its widest cell.
pub fn columns<const N: usize>(rows: &[[String; N]]) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; N] = std::array::from_fn(width);
    let line = |row: &[String; N]| {
        let padded = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
    };
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::columns;

    #[test]
    fn columns_are_as_wide_as_they_have_to_be() {
        let rows = [["NAME", "A", "B"], ["é", "long", ""], ["x", "", "y"]].map(|row| row.map(str::to_owned));
        assert_eq!(columns(&rows), "NAME  A     B\né     long\nx           y\n");
        assert_eq!(columns::<2>(&[]), "");
    }
}
