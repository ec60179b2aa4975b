//! `docs/explain.md` shows what `explain` prints, and its pictures are what `--svg` draws: CTHUNK_BLESS=1 writes both.

use std::fs;
use std::path::Path;

use cthunk::Target;
use cthunk::explain::{Drawing, drawing, svg, text};

/// A marker of the page, and the drawing that it asks for: `<!-- explain NAME TRIPLE`, a line with the declaration and, behind `;`, the types of
/// variable arguments, `-->`.
struct Marker {
    name: String,
    drawing: Drawing,
}

impl Marker {
    fn parse(marker: &str) -> Marker {
        let (head, declaration) = marker.split_once('\n').unwrap();
        let (name, triple) = head.split_once(' ').unwrap();
        let target: Target = triple.parse().unwrap();
        let (declaration, variable) = match declaration.trim().rsplit_once("); ") {
            Some((declaration, variable)) => (format!("{declaration})"), variable),
            None => (declaration.trim().into(), ""),
        };
        let variable: Vec<&str> = variable.split(", ").filter(|ty| !ty.is_empty()).collect();
        let drawing = drawing(&declaration, &variable, &target);
        Marker { name: name.into(), drawing: drawing.unwrap_or_else(|e| panic!("{name}: {e}")) }
    }
}

/// The page with every picture below its marker, and the markers.
fn regenerate(page: &str) -> (String, Vec<Marker>) {
    let mut parts = page.split("<!-- explain ");
    let mut new = parts.next().unwrap().to_owned();
    let mut markers = Vec::new();
    for part in parts {
        let (marker, rest) = part.split_once("-->\n").unwrap();
        let prose = rest.find("\n## ").map_or("", |at| &rest[at..]);
        let found = Marker::parse(marker);
        let name = &found.name;
        let picture = text(&found.drawing);
        new += &format!("<!-- explain {marker}-->\n\n```text\n{}\n```\n\n", picture.trim_end());
        new += &format!("![the same as a picture](explain/{name}.svg)\n{prose}");
        markers.push(found);
    }
    (new, markers)
}

#[test]
fn the_page_shows_what_explain_draws() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let page = fs::read_to_string(docs.join("explain.md")).unwrap();
    let (new, markers) = regenerate(&page);
    assert!(markers.len() >= 10, "{} pictures", markers.len());
    let mut files = vec![("explain.md".to_owned(), new)];
    let picture = |m: &Marker| (format!("explain/{}.svg", m.name), svg(&m.drawing));
    files.extend(markers.iter().map(picture));
    for (name, new) in files {
        let path = docs.join(&name);
        if std::env::var_os("CTHUNK_BLESS").is_some() {
            fs::write(&path, new).unwrap();
        } else {
            let old = fs::read_to_string(&path).unwrap_or_default();
            assert!(new == old, "docs/{name} differs: CTHUNK_BLESS=1 cargo test --test explain");
        }
    }
}

/// Text that XML gives a meaning arrives as itself.
#[test]
fn a_picture_is_xml() {
    let drawing = drawing("int f(int (*callback)(int &))", &[], &Target::host()).unwrap();
    let svg = svg(&drawing);
    assert!(svg.contains("int (*)(int &amp;)") && !svg.contains("&)"), "{svg}");
    assert_eq!(svg.matches("<text").count(), svg.matches("</text>").count());
}
