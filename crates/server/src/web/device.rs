//! What somebody signs in with, in few words: a browser's description of itself is long, the same for most, and chosen by
//! whoever sends it.

/// Most of an unknown program's name that the audit log gets, in characters.
const PROGRAM_MAX: usize = 40;

/// Browser and system as people call them.
#[must_use]
pub fn name(agent: &str) -> Option<String> {
    // Every browser claims to be others as well: the most special one first.
    let browsers = [
        ("Edg", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    ];
    let systems = [
        ("Windows", "Windows"),
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Mac OS X", "macOS"),
        ("Linux", "Linux"),
    ];
    let find = |names: &[(&str, &'static str)]| {
        names.iter().find(|(part, _)| agent.contains(part)).map(|(_, name)| *name)
    };
    match (find(&browsers), find(&systems)) {
        (Some(browser), Some(system)) => Some(format!("{browser} · {system}")),
        (Some(one), None) | (None, Some(one)) => Some(one.to_owned()),
        (None, None) => None,
    }
}

/// The same for the audit log; of what is no browser, the name that it gives itself.
#[must_use]
pub fn short(agent: &str) -> Option<String> {
    let program = || agent.split_whitespace().next().map(|first| first.chars().take(PROGRAM_MAX).collect());
    name(agent).or_else(program)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_is_called_by_its_own_name() {
        let edge = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) \
            Chrome/130.0 Safari/537.36 Edg/130.0";
        assert_eq!(name(edge).unwrap(), "Edge · Windows");
        let safari = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605 Safari/604";
        assert_eq!(name(safari).unwrap(), "Safari · iPhone");
        assert_eq!(name("curl/8").as_deref(), None);
    }

    #[test]
    fn a_program_is_called_as_it_calls_itself_and_not_longer_than_a_name() {
        assert_eq!(short("curl/8.5.0 (x)").as_deref(), Some("curl/8.5.0"));
        assert_eq!(short(&"x".repeat(200)), Some("x".repeat(40)));
        assert_eq!(short("  "), None);
    }
}
