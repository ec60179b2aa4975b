//! A drawing as SVG.

use std::fmt::Write;

use super::drawing::{Drawing, Group, Row};

/// Width of a character of the 13-pixel monospaced font, a little more than the usual 0.6 em.
const CHARACTER: f64 = 8.0;
/// Height of a register.
const ROW: f64 = 26.0;
/// Space around and between groups.
const GAP: f64 = 24.0;

/// Fills of the result and of the arguments, in turn; light enough for dark letters.
const FILLS: [&str; 8] =
    ["#d7e8d4", "#cfe2f3", "#fce5cd", "#e6d9f2", "#fff2b3", "#f9d5d3", "#d0ece7", "#e8dccb"];
const EMPTY: &str = "#f6f6f6";

/// The drawing as an SVG document: a column for each kind of place.
pub fn svg(drawing: &Drawing) -> String {
    let mut body = String::new();
    let mut x = GAP;
    let mut bottom: f64 = 0.0;
    for group in &drawing.groups {
        let (width, end) = column(&mut body, group, x);
        x += width + GAP;
        bottom = bottom.max(end);
    }
    let head = drawing.title.chars().count().max(drawing.convention.chars().count());
    let width = x.max(head as f64 * CHARACTER + 2.0 * GAP);
    let height = bottom + GAP;
    format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0}" height="{height:.0}" viewBox="0 0 {width:.0} {height:.0}" font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="13">
<rect width="100%" height="100%" fill="#ffffff"/>
<text x="{GAP}" y="32" font-weight="bold">{}</text>
<text x="{GAP}" y="52" fill="#666666">{}</text>
{body}</svg>
"##,
        escape(&drawing.title),
        escape(&drawing.convention)
    )
}

/// Draws a group from `x` on; its width and its lower end.
fn column(body: &mut String, group: &Group, x: f64) -> (f64, f64) {
    let longest = |of: fn(&Row) -> &str| {
        group.rows.iter().map(|row| of(row).chars().count()).max().unwrap_or(0) as f64 * CHARACTER
    };
    let place = longest(|row| &row.place) + 10.0;
    let title = group.title.len() as f64 * CHARACTER;
    let cell = (longest(|row| &row.words) + 20.0).max(90.0).max(title - place);
    let mut y = 96.0;
    let _ = writeln!(
        body,
        r##"<text x="{x:.0}" y="84" fill="#444444" font-style="italic">{}</text>"##,
        group.title
    );
    for row in &group.rows {
        let height = ROW * f64::from(row.bytes.div_ceil(8).clamp(1, 4));
        let fill = row.value.map_or(EMPTY, |value| FILLS[value % FILLS.len()]);
        let (left, middle) = (x + place, y + height / 2.0 + 4.5);
        let _ = writeln!(
            body,
            r##"<text x="{:.0}" y="{middle:.1}" text-anchor="end" fill="#444444">{}</text>
<rect x="{left:.0}" y="{y:.0}" width="{cell:.0}" height="{height:.0}" fill="{fill}" stroke="#888888"/>
<text x="{:.0}" y="{middle:.1}" fill="{}">{}</text>"##,
            left - 8.0,
            escape(&row.place),
            left + 10.0,
            if row.value.is_some() { "#111111" } else { "#888888" },
            escape(&row.words)
        );
        y += height;
    }
    (place + cell, y)
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
