//! A drawing as text.

use super::drawing::{Drawing, Group};

/// Columns of a terminal.
const WIDTH: usize = 100;

/// The drawing in box-drawing characters, as many groups side by side as fit.
pub fn text(drawing: &Drawing) -> String {
    let mut text = format!("{}\n{}\n", drawing.title, drawing.convention);
    let mut line: Vec<Vec<String>> = Vec::new();
    let width = |boxes: &[Vec<String>]| boxes.iter().map(|lines| columns(&lines[0]) + 2).sum();
    for group in &drawing.groups {
        let lines = boxed(group);
        let used: usize = width(&line);
        if !line.is_empty() && used + columns(&lines[0]) > WIDTH {
            text += &beside(&std::mem::take(&mut line));
        }
        line.push(lines);
    }
    text + &beside(&line)
}

fn columns(text: &str) -> usize {
    text.chars().count()
}

/// Lines of equal width.
fn boxed(group: &Group) -> Vec<String> {
    let longest = |of: &dyn Fn(usize) -> usize| (0..group.rows.len()).map(of).max().unwrap_or(0);
    let place = longest(&|i| columns(&group.rows[i].place));
    let words = longest(&|i| columns(&group.rows[i].words))
        .max(columns(group.title).saturating_sub(place + 3));
    let rule = |left, middle, right| {
        format!("{left}{}{middle}{}{right}", "─".repeat(place + 2), "─".repeat(words + 2))
    };
    let mut lines = vec![format!("{:<1$}", group.title, place + words + 7)];
    lines.push(rule('┌', '┬', '┐'));
    for row in &group.rows {
        lines.push(format!("│ {:<place$} │ {:<words$} │", row.place, row.words));
    }
    lines.push(rule('└', '┴', '┘'));
    lines
}

fn beside(boxes: &[Vec<String>]) -> String {
    let height = boxes.iter().map(Vec::len).max().unwrap_or(0);
    let mut text = String::new();
    for i in 0..height {
        let line: String = boxes
            .iter()
            .map(|lines| match lines.get(i) {
                Some(line) => format!("{line}  "),
                None => " ".repeat(columns(&lines[0]) + 2),
            })
            .collect();
        text += line.trim_end();
        text.push('\n');
    }
    text + "\n"
}
