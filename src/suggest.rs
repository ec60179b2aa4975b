//! "Did you mean": the existing name that is most similar to a wrong one.

/// How long a name may be that others are compared with.
const LONGEST: usize = 64;

/// The candidate that is nearest to a name, if one is near: the same but for upper and lower case, or with at most one edit for each three
/// characters (optimal string alignment).
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if name.len() > LONGEST {
        return None;
    }
    let most = (name.chars().count() / 3).max(1);
    let distance = |candidate: &str| match candidate {
        same if same == name => None,
        same if same.eq_ignore_ascii_case(name) => Some(0),
        far if far.len().abs_diff(name.len()) > most => None,
        near => Some(strsim::osa_distance(name, near)).filter(|edits| *edits <= most),
    };
    let near = candidates.into_iter().filter_map(|name| Some((distance(name)?, name)));
    // Of equally near candidates the first in the order of names, so that the answer does not depend on the order of candidates.
    near.min().map(|(_, candidate)| candidate).filter(|_| name.len() > 1)
}

/// A hint that names the nearest candidate.
pub fn did_you_mean<'a>(
    name: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<String> {
    nearest(name, candidates).map(|near| format!("did you mean '{near}'?"))
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_name_is_near_with_few_edits() {
        let names = ["size_t", "ssize_t", "uint32_t", "printf", "x"];
        assert_eq!(nearest("sizet", names), Some("size_t"));
        assert_eq!(nearest("unit32_t", names), Some("uint32_t"));
        assert_eq!(nearest("PRINTF", names), Some("printf"));
        assert_eq!(nearest("foo", names), None);
        assert_eq!(nearest("y", names), None);
        assert_eq!(nearest("printf", names), None);
    }
}
