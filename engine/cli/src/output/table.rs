//! Aligns columns as Go's `text/tabwriter` does: a column is as wide as its
//! widest cell in neighbouring lines that have that column.
//!
//! Cells are separated by tabs; what follows the last tab of a line is not
//! padded.

/// How wide columns are at least, and how far apart.
#[derive(Debug, Clone, Copy)]
pub struct Layout {
    /// The least width of a cell, padding included.
    pub min_width: usize,
    /// Spaces added to the widest cell.
    pub padding: usize,
}

/// What lists use.
pub const LIST: Layout = Layout {
    min_width: 10,
    padding: 3,
};

/// Aligns `text`.
pub fn align(text: &str, layout: Layout) -> String {
    let lines: Vec<Vec<&str>> = text
        .split_inclusive('\n')
        .map(|line| {
            line.strip_suffix('\n')
                .unwrap_or(line)
                .split('\t')
                .collect()
        })
        .collect();
    let mut widths: Vec<Vec<usize>> = lines
        .iter()
        .map(|cells| vec![0; cells.len().saturating_sub(1)])
        .collect();
    let columns = widths.iter().map(Vec::len).max().unwrap_or(0);
    for column in 0..columns {
        let mut start = 0;
        while start < lines.len() {
            if widths[start].len() <= column {
                start += 1;
                continue;
            }
            let end = (start..lines.len())
                .find(|line| widths[*line].len() <= column)
                .unwrap_or(lines.len());
            let widest = lines[start..end]
                .iter()
                .map(|cells| cells[column].chars().count())
                .max()
                .unwrap_or(0);
            // A column that is empty throughout takes no room beyond its
            // minimum.
            let width = match widest {
                0 => layout.min_width.max(layout.padding),
                widest => layout.min_width.max(widest + layout.padding),
            };
            for line in &mut widths[start..end] {
                line[column] = width;
            }
            start = end;
        }
    }
    let mut output = String::with_capacity(text.len() * 2);
    for (cells, widths) in lines.iter().zip(&widths) {
        for (index, cell) in cells.iter().enumerate() {
            output.push_str(cell);
            if let Some(width) = widths.get(index) {
                let missing = width.saturating_sub(cell.chars().count());
                output.extend(std::iter::repeat_n(' ', missing));
            }
        }
        output.push('\n');
    }
    output
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        assert_eq!(
            align("A\tB\tC\nlonger than ten\tb\tc\n", LIST),
            "A                 B         C\nlonger than ten   b         c\n"
        );
    }

    #[test]
    fn a_column_ends_where_a_line_has_it_not() {
        let layout = Layout {
            min_width: 0,
            padding: 1,
        };
        assert_eq!(
            align("aaaa\tb\nplain\nc\td\n", layout),
            "aaaa b\nplain\nc d\n"
        );
    }
}
