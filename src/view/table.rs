//! Columns of a monospace font: cells to padded lines no wider than asked.
//!
//! Discord draws Chinese in code blocks about, but not exactly, two columns wide. So numbers stand
//! left and wide words last, where nothing right of them can slip.

use crate::text::{clip_columns, columns, harmless};

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// Column titles; none for a table that needs none.
    pub header: Vec<String>,
    pub rows: Vec<Row>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Row {
    pub cells: Vec<Cell>,
    pub mark: Mark,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// Stands left in its column.
    Word(String),
    /// Stands right in its column.
    Number(String),
    /// A bar of this share of the column, 0 to 1.
    Bar(f64),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mark {
    #[default]
    Plain,
    /// The sum of the rows above it.
    Total,
    /// What differs from before or from its neighbours.
    Changed,
}

impl Row {
    pub fn new(cells: impl IntoIterator<Item = Cell>) -> Self {
        Self { cells: cells.into_iter().collect(), mark: Mark::Plain }
    }
    pub fn mark(mut self, mark: Mark) -> Self {
        self.mark = mark;
        self
    }
}

impl Cell {
    pub fn word(text: impl Into<String>) -> Self {
        Cell::Word(text.into())
    }
    pub fn number(text: impl Into<String>) -> Self {
        Cell::Number(text.into())
    }
    fn is_wide(&self) -> bool {
        match self {
            Cell::Word(text) | Cell::Number(text) => columns(text) > text.chars().count(),
            Cell::Bar(_) => false,
        }
    }
    /// The text, a bar as wide as `bar` columns at its full length.
    pub fn text(&self, bar: usize) -> String {
        match self {
            Cell::Word(text) | Cell::Number(text) => harmless(text).into_owned(),
            Cell::Bar(share) => draw_bar(*share, bar),
        }
    }
}

/// `███▌`: eighths of a column.
pub fn draw_bar(share: f64, width: usize) -> String {
    const EIGHTHS: [char; 8] = [' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];
    let eighths = (share.clamp(0.0, 1.0) * width as f64 * 8.0).round() as usize;
    let mut bar = "█".repeat(eighths / 8);
    if !eighths.is_multiple_of(8) {
        bar.push(EIGHTHS[eighths % 8]);
    }
    bar
}

impl Table {
    /// Lines no wider than `limit`, bars `bar` columns long.
    pub fn lines(&self, limit: usize, bar: usize) -> Vec<String> {
        const GAP: usize = 1;
        let count = self.rows.iter().map(|row| row.cells.len()).max().unwrap_or(0).max(self.header.len());
        let header =
            (!self.header.is_empty()).then(|| self.header.iter().map(|title| harmless(title).into_owned()).collect());
        let body = self.rows.iter().map(|row| row.cells.iter().map(|cell| cell.text(bar)).collect::<Vec<_>>());
        let mut grid: Vec<Vec<String>> = header.into_iter().chain(body).collect();
        for line in &mut grid {
            line.resize(count, String::new());
        }
        let order = self.order(count);
        let mut widths: Vec<usize> =
            (0..count).map(|c| grid.iter().map(|line| columns(&line[c])).max().unwrap_or(0)).collect();
        shrink(&mut widths, limit.saturating_sub(GAP * count.saturating_sub(1)));
        grid.iter()
            .map(|line| {
                let mut text = String::with_capacity(limit * 2);
                for &c in &order {
                    let cell = clip_columns(&line[c], widths[c]);
                    let padding = widths[c] - columns(&cell);
                    if self.is_number(c) {
                        text.extend(std::iter::repeat_n(' ', padding));
                        text.push_str(&cell);
                    } else {
                        text.push_str(&cell);
                        text.extend(std::iter::repeat_n(' ', padding));
                    }
                    text.extend(std::iter::repeat_n(' ', GAP));
                }
                text.truncate(text.trim_end().len());
                text
            })
            .collect()
    }

    /// Columns in the order they are drawn: those with wide characters last. A title may be wide: it
    /// stands above numbers, and a little askew is better than out of order.
    fn order(&self, count: usize) -> Vec<usize> {
        let is_wide = |c: usize| self.rows.iter().any(|row| row.cells.get(c).is_some_and(Cell::is_wide));
        let (wide, narrow): (Vec<_>, Vec<_>) = (0..count).partition(|&c| is_wide(c));
        [narrow, wide].concat()
    }

    /// A column stands right when its cells do.
    pub fn is_number(&self, column: usize) -> bool {
        self.rows.iter().any(|row| matches!(row.cells.get(column), Some(Cell::Number(_))))
    }
}

/// Takes columns from the widest until the sum is within the limit.
fn shrink(widths: &mut [usize], limit: usize) {
    let mut excess = widths.iter().sum::<usize>().saturating_sub(limit);
    while excess > 0 {
        let Some(widest) = widths.iter_mut().max() else { return };
        *widest -= 1;
        excess -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(label: &str, number: &str, share: f64) -> Row {
        Row::new([Cell::word(label), Cell::number(number), Cell::Bar(share)])
    }

    #[test]
    fn words_stand_left_and_numbers_right() {
        let table =
            Table { header: vec![], rows: vec![row("weights", "1.9 GiB", 0.1), row("optimizer", "11.2 GiB", 1.0)] };
        assert_eq!(table.lines(40, 8), ["weights    1.9 GiB ▊", "optimizer 11.2 GiB ████████"]);
    }

    #[test]
    fn wide_words_stand_last() {
        let table =
            Table { header: vec![], rows: vec![row("权重", "1.9 GiB", 0.5), row("优化器", "11.2 GiB", 1.0)] };
        assert_eq!(table.lines(40, 4), [" 1.9 GiB ██   权重", "11.2 GiB ████ 优化器"]);
    }

    #[test]
    fn no_line_is_wider_than_the_limit() {
        let long = row("一个很长很长的名字 and more", "123456789.0 GiB", 1.0);
        for limit in 0..60 {
            let table =
                Table { header: vec!["标题".into(), "b".into(), "c".into(), "d".into()], rows: vec![long.clone()] };
            for line in table.lines(limit, 10) {
                assert!(columns(&line) <= limit, "{limit}: {line}");
            }
        }
    }

    #[test]
    fn bars_grow_by_eighths() {
        assert_eq!(draw_bar(0.0, 10), "");
        assert_eq!(draw_bar(0.0125, 10), "▏");
        assert_eq!(draw_bar(0.55, 10), "█████▌");
        assert_eq!(draw_bar(7.0, 3), "███");
        assert_eq!(draw_bar(f64::NAN, 3), "");
    }
}
