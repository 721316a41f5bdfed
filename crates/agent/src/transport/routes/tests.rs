//! Lists as Windows and proxy scripts write them, and the order in which routes are tried.

use super::*;

fn names(routes: &[Route]) -> Vec<String> {
    let name = |route: &Route| match route {
        Route::Direct => "direct".to_owned(),
        Route::Proxy(proxy) => name_of(proxy),
    };
    routes.iter().map(name).collect()
}

fn list(text: &str) -> Vec<String> {
    names(&listed(text, "https").unwrap())
}

/// All routes of a plan when each place gives what `ask` says.
fn walk(
    mut itinerary: Itinerary,
    ask: impl Fn(&Source) -> Result<Vec<Route>, String>,
) -> (Vec<String>, Vec<String>) {
    let mut routes = Vec::new();
    while let Some(route) = itinerary.next(&ask) {
        routes.push(route.route);
    }
    (names(&routes), itinerary.problems)
}

#[test]
fn windows_lists_are_read_in_their_order() {
    assert_eq!(list("a:1;b:2"), ["a:1", "b:2"]);
    assert_eq!(list(" a:1  b:2 ;"), ["a:1", "b:2"]);
    assert_eq!(list("a"), ["a:80"], "without a port it is HTTP's own");
    assert_eq!(list("http://a:1/"), ["a:1"]);
    assert_eq!(list("[2001:db8::1]:3128"), ["[2001:db8::1]:3128"]);
    assert_eq!(list(""), Vec::<String>::new());
}

#[test]
fn entries_for_other_schemes_are_left_out() {
    assert_eq!(list("http=a:1;https=b:2;ftp=c:3;socks=d:4"), ["b:2"]);
    assert_eq!(names(&listed("http=a:1;https=b:2", "http").unwrap()), ["a:1"]);
    assert_eq!(list("HTTPS=http://b:2"), ["b:2"]);
    assert_eq!(list("http=a:1"), Vec::<String>::new());
}

#[test]
fn a_scripts_answer_is_an_ordered_list() {
    assert_eq!(list("PROXY a:1; PROXY b:2; DIRECT"), ["a:1", "b:2", "direct"]);
    assert_eq!(list("DIRECT"), ["direct"]);
    assert_eq!(list("SOCKS5 s:1080; PROXY b:2"), ["b:2"]);
    assert_eq!(list("proxy a:1;direct"), ["a:1", "direct"]);
}

#[test]
fn what_cannot_be_used_is_named_without_its_password() {
    let error = listed("SOCKS s:1080", "https").unwrap_err();
    assert!(error.contains("s:1080"), "{error}");
    let error = listed("https=socks5://u:geheim@s:1080", "https").unwrap_err();
    assert!(error.contains("s:1080") && !error.contains("geheim"), "{error}");
}

#[test]
fn bypass_lists_have_wildcards_ports_and_local() {
    let bypassed = |host, list| is_bypassed(host, list);
    assert!(bypassed("time.example.co.jp", "*.example.co.jp"));
    assert!(bypassed("TIME.example.co.jp", "10.*;*.EXAMPLE.co.jp"));
    assert!(!bypassed("example.co.jp", "*.example.co.jp"));
    assert!(bypassed("10.1.2.3", "10.*") && !bypassed("110.1.2.3", "10.*"));
    assert!(bypassed("intranet", "<local>") && !bypassed("intra.net", "<LOCAL>"));
    assert!(!bypassed("2001:db8::1", "<local>"));
    assert!(bypassed("a.example", "https://a.example:443 b.example"));
    assert!(bypassed("2001:db8::1", "[2001:db8::1]:443"));
    assert!(bypassed("anything", "*"));
    assert!(bypassed("w1.x.example", "w*.x.*ple") && !bypassed("v1.x.example", "w*.x.*ple"));
    assert!(!bypassed("a.example", ""));
    assert!(!bypassed("ab", "ab*b"), "the same letter is not used twice");
}

#[test]
fn this_pc_is_never_asked_through_a_proxy() {
    for host in ["localhost", "127.0.0.1", "[::1]"] {
        assert!(is_bypassed(host, ""), "{host}");
    }
}

#[test]
fn none_and_explicit_have_one_route() {
    let nobody = |source: &Source| -> Result<Vec<Route>, String> { panic!("asks {source:?}") };
    assert_eq!(walk(Itinerary::new(&ProxySetting::None, &[], None), nobody).0, ["direct"]);
    let explicit = ProxySetting::Explicit("http://u:p@a:1".into());
    assert_eq!(walk(Itinerary::new(&explicit, &[], None), nobody).0, ["a:1"]);
}

#[test]
fn a_script_that_cannot_be_had_leaves_the_direct_way() {
    let setting = ProxySetting::Script("http://wpad/proxy.pac".into());
    let (routes, problems) = walk(Itinerary::new(&setting, &[], None), |_| Err("dead".into()));
    assert_eq!((routes, problems), (vec!["direct".to_owned()], vec!["dead".to_owned()]));
    let answer = |_: &Source| listed("PROXY a:1; DIRECT", "https");
    assert_eq!(walk(Itinerary::new(&setting, &[], None), answer).0, ["a:1", "direct"], "direct once only");
}

#[test]
fn places_are_asked_in_order_and_only_when_needed() {
    let system = [Source::MachineSetting, Source::AutoDetection, Source::ConsoleUser];
    let mut itinerary = Itinerary::new(&ProxySetting::System, &system, None);
    let answer = |source: &Source| match source {
        Source::MachineSetting => listed("a:1", "https"),
        Source::ConsoleUser => listed("a:1;c:3", "https"),
        Source::AutoDetection | Source::Environment | Source::Script(_) => Err("no WPAD here".to_owned()),
    };
    let asked = std::cell::RefCell::new(Vec::new());
    let mut next = || {
        itinerary.next(|source| {
            asked.borrow_mut().push(source.clone());
            answer(source)
        })
    };
    assert_eq!(next(), way("a:1", true));
    assert_eq!(*asked.borrow(), [Source::MachineSetting], "the others wait until a:1 is dead");
    assert_eq!(next(), way("c:3", false), "a:1 is not tried twice");
    assert_eq!(next().map(|way| way.route), Some(Route::Direct));
    assert_eq!(next(), None);
    assert_eq!(itinerary.problems, ["no WPAD here"]);
}

fn way(proxy: &str, may_get_the_pcs_account: bool) -> Option<Way> {
    Route::proxy(proxy).map(|route| Way { route, may_get_the_pcs_account })
}

/// A user could name a machine of his own in his options, in a script or by WPAD.
#[test]
fn only_a_proxy_that_an_administrator_named_may_get_the_pcs_account() {
    let may = |setting: ProxySetting, system: &[Source]| {
        let mut itinerary = Itinerary::new(&setting, system, None);
        itinerary.next(|_| listed("a:1", "https")).unwrap().may_get_the_pcs_account
    };
    assert!(may(ProxySetting::Explicit("http://a:1".into()), &[]));
    assert!(may(ProxySetting::System, &[Source::MachineSetting]));
    assert!(!may(ProxySetting::System, &[Source::ConsoleUser]));
    assert!(!may(ProxySetting::System, &[Source::AutoDetection]));
    assert!(may(ProxySetting::System, &[Source::Environment]));
    assert!(!may(ProxySetting::AutoDetection, &[]));
    assert!(!may(ProxySetting::Script("http://a/proxy.pac".into()), &[]));
}

#[test]
fn the_route_that_worked_last_comes_first_and_nobody_is_asked() {
    let remembered = way("c:3", false);
    let mut itinerary = Itinerary::new(&ProxySetting::AutoDetection, &[], remembered.clone());
    assert_eq!(itinerary.next(|_| panic!("asked")), remembered);
    assert_eq!(walk(itinerary, |_| listed("a:1;c:3", "https")).0, ["a:1", "direct"]);
}

#[test]
fn the_environments_proxy_is_the_only_way() {
    let itinerary = || Itinerary::new(&ProxySetting::System, &[Source::Environment], None);
    assert_eq!(walk(itinerary(), |_| Ok(vec![Route::proxy("a:1").unwrap()])).0, ["a:1"]);
    assert_eq!(walk(itinerary(), |_| Err("socks".into())).0, Vec::<String>::new());
}
