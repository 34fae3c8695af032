//! Renders every page from its samples and checks what must hold for all of them.
//!
//! With `SATCHEL_PAGE_SAMPLES=DIR` in the environment the rendered pages and the static files are also written there,
//! to be looked at in a browser.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use askama::Template;
use scraper::{ElementRef, Html, Selector};

use super::*;
use crate::web::assets;

/// Every page with every variant worth seeing: `(name, HTML)`. The first variant of a page has the page's bare name.
fn pages() -> Vec<(&'static str, String)> {
    fn page(name: &'static str, template: impl Template) -> (&'static str, String) {
        (
            name,
            template
                .render()
                .unwrap_or_else(|error| panic!("{name}: {error}")),
        )
    }
    let noticed = |kind, text: &str| {
        let mut page = DocumentIndexPage::sample();
        page.shell.notice = Some(Notice {
            kind,
            text: text.into(),
            undo: (kind == NoticeKind::Success).then(|| Undo {
                action: "/trash/restorations".into(),
                at: Some(17),
            }),
        });
        page.shell.emulator_banner = false;
        page
    };
    let themed = |theme| {
        let mut page = DocumentShowPage::sample();
        page.shell.theme = theme;
        page
    };
    vec![
        page("setup", SetupPage::sample()),
        page("setup+errors", SetupPage::sample_with_errors()),
        page("sign-in", SignInPage::sample()),
        page("sign-in+error", SignInPage::sample_with_error()),
        page("account", AccountPage::sample()),
        page("account+errors", AccountPage::sample_with_errors()),
        page("account+token", AccountPage::sample_with_token()),
        page("confirm", ConfirmPage::sample()),
        page("confirm+error", ConfirmPage::sample_with_error()),
        page("password", PasswordChoosePage::sample()),
        page("password+error", PasswordChoosePage::sample_with_error()),
        page("users", UserIndexPage::sample()),
        page("users+invited", UserIndexPage::sample_invited()),
        page("users+errors", UserIndexPage::sample_with_errors()),
        page("user", UserShowPage::sample()),
        page("user+error", UserShowPage::sample_with_error()),
        page("documents", DocumentIndexPage::sample()),
        page("documents+search", DocumentIndexPage::sample_search()),
        page("documents+no-match", DocumentIndexPage::sample_no_match()),
        page("documents+wrong", DocumentIndexPage::sample_wrong()),
        page("documents+empty", DocumentIndexPage::sample_empty()),
        page("documents+past-the-end", DocumentIndexPage::sample_past_the_end()),
        page(
            "documents+success",
            noticed(NoticeKind::Success, "The document is in the trash."),
        ),
        page("documents+info", noticed(NoticeKind::Info, "You are signed in.")),
        page(
            "documents+warning",
            noticed(NoticeKind::Warning, "Its file could not be deleted at Filestack."),
        ),
        page("document", DocumentShowPage::sample()),
        page("document+no-preview", DocumentShowPage::sample_without_preview()),
        page("document+dark", themed(Theme::Dark)),
        page("document+light", themed(Theme::Light)),
        page("tags+error", TagsPage::sample()),
        page("tags+nothing", TagsPage::sample_of_nothing()),
        page("trash", TrashIndexPage::sample()),
        page("trash+empty", TrashIndexPage::sample_empty()),
        page("trash-purge", TrashPurgePage::sample()),
        page("trash-emptying", TrashEmptyPage::sample()),
        page("upload", UploadNewPage::sample()),
        page("upload+error", UploadNewPage::sample_with_error()),
        page("upload+quota", UploadNewPage::sample_with_quota()),
        page("upload+full", UploadNewPage::sample_without_room()),
        page("upload-result", UploadResultPage::sample()),
        page("overview", OverviewPage::sample()),
        page("overview+fresh", OverviewPage::sample_fresh()),
        page("settings", SettingsPage::sample()),
        page("system", SystemPage::sample()),
        page("all-documents", AdminDocumentsPage::sample()),
        page("admin-document", AdminDocumentPage::sample()),
        page("admin-document+closed", AdminDocumentPage::sample_closed()),
        page(
            "admin-document+wrong",
            AdminDocumentPage::sample_open_with_error(),
        ),
        page("audit", AuditIndexPage::sample()),
        page("audit+empty", AuditIndexPage::sample_empty()),
        page("jobs", JobIndexPage::sample()),
        page("jobs+empty", JobIndexPage::sample_empty()),
        page("jobs-attempts", JobAttemptsPage::sample()),
        page("jobs-attempts+empty", JobAttemptsPage::sample_empty()),
        page("webhooks", EventIndexPage::sample()),
        page("webhooks+empty", EventIndexPage::sample_empty()),
        page("webhook", EventShowPage::sample()),
        page("webhook-replay", EventReplayPage::sample()),
        page("webhook-refusals", EventRefusalsPage::sample()),
        page("docs", DocsPage::sample()),
        page("docs+stranger", DocsPage::sample_for_strangers()),
        page("error", ErrorPage::sample()),
        page("error+unavailable", ErrorPage::sample_unavailable()),
    ]
}

fn each_page(check: impl Fn(&str, &Html)) {
    for (name, html) in pages() {
        check(name, &Html::parse_document(&html));
    }
}

fn all<'a>(page: &'a Html, selector: &str) -> Vec<ElementRef<'a>> {
    page.select(&Selector::parse(selector).unwrap()).collect()
}

fn text(element: ElementRef<'_>) -> String {
    element.text().collect::<String>().trim().to_owned()
}

#[test]
fn every_page_has_one_heading_a_language_and_landmarks() {
    each_page(|name, page| {
        let headings = all(page, "h1");
        assert_eq!(headings.len(), 1, "{name}");
        assert!(!text(headings[0]).is_empty(), "{name}");
        assert_eq!(all(page, "html[lang=en]").len(), 1, "{name}");
        for landmark in [
            "body > header",
            "main#main",
            "body > footer",
            "a.skip-link[href='#main']",
        ] {
            assert_eq!(all(page, landmark).len(), 1, "{name}: {landmark}");
        }
        assert_eq!(all(page, "meta[name=viewport]").len(), 1, "{name}");
    });
}

/// What an HTML parser has to mend is not valid.
#[test]
fn every_page_is_html_that_needs_no_mending() {
    each_page(|name, page| assert!(page.errors.is_empty(), "{name}: {:?}", page.errors));
}

/// WCAG 2.1.1 and 2.4.3: the order of the keyboard is the order of the page.
#[test]
fn no_page_changes_the_order_of_the_keyboard() {
    each_page(|name, page| {
        for element in all(page, "[tabindex]") {
            let place = element
                .attr("tabindex")
                .and_then(|place| place.parse::<i32>().ok());
            assert!(
                place.is_some_and(|place| place <= 0),
                "{name}: {}",
                element.html()
            );
        }
    });
}

/// WCAG 1.3.5 and 3.3.8: browsers and password managers are told what goes where.
#[test]
fn every_password_and_address_says_what_may_fill_it_in() {
    each_page(|name, page| {
        for field in all(page, "input[type=password]") {
            let token = field.attr("autocomplete").unwrap_or_default();
            let is_a_token_of_the_api = field.attr("id") == Some("api-token");
            let known = ["current-password", "new-password"].contains(&token) || is_a_token_of_the_api;
            assert!(known, "{name}: {}", field.html());
            let form = field
                .ancestors()
                .filter_map(ElementRef::wrap)
                .find(|e| e.value().name() == "form");
            if let Some(form) = form {
                let user = form
                    .select(&Selector::parse("[autocomplete=username]").unwrap())
                    .count();
                assert_eq!(user, 1, "{name}: whose password is it?");
            }
        }
        assert!(all(page, "[onpaste], [oncopy]").is_empty(), "{name}");
    });
}

#[test]
fn every_page_has_a_title_of_its_own() {
    let mut owners = BTreeMap::new();
    for (name, html) in pages() {
        let title = text(all(&Html::parse_document(&html), "head title")[0]);
        assert!(
            title.ends_with(" · Satchel") && title.len() > " · Satchel".len(),
            "{name}: {title}"
        );
        if !name.contains('+')
            && let Some(other) = owners.insert(title, name)
        {
            panic!("{name} has the title of {other}");
        }
    }
}

#[test]
fn every_field_has_a_label() {
    each_page(|name, page| {
        for field in all(page, "input:not([type=hidden]), select, textarea") {
            let labelled = field.attr("aria-label").is_some()
                || field
                    .ancestors()
                    .filter_map(ElementRef::wrap)
                    .any(|a| a.value().name() == "label")
                || field
                    .attr("id")
                    .is_some_and(|id| !all(page, &format!("label[for={id}]")).is_empty());
            assert!(labelled, "{name}: {}", field.html());
        }
    });
}

#[test]
fn every_link_and_button_has_a_name_and_a_target() {
    let named_fields = Selector::parse("input[aria-label]").unwrap();
    each_page(|name, page| {
        for element in all(page, "a, button, summary, label, th, h2, option") {
            let named = element
                .attr("aria-label")
                .is_some_and(|label| !label.trim().is_empty());
            // Round a field that says its name itself, a label is only more room to press.
            let of_named =
                element.value().name() == "label" && element.select(&named_fields).next().is_some();
            assert!(
                named || of_named || !text(element).is_empty(),
                "{name}: {}",
                element.html()
            );
        }
        for link in all(page, "a") {
            let href = link.attr("href").unwrap_or_default();
            assert!(href.starts_with('/') || href.starts_with('#'), "{name}: {href:?}");
        }
        // One that names where its form goes can only submit it.
        assert!(
            all(page, "button:not([type], [formaction])").is_empty(),
            "{name}: a button says what it does"
        );
    });
}

#[test]
fn no_button_is_as_wide_as_its_form_unless_it_says_so() {
    each_page(|name, page| {
        let stretched = all(page, ".stack > .button:not(.button-wide)");
        assert!(stretched.is_empty(), "{name}: {}", stretched[0].html());
    });
}

#[test]
fn no_page_carries_inline_script_or_style() {
    each_page(|name, page| {
        assert!(
            all(page, "script:not([src]), style, [style]").is_empty(),
            "{name}"
        );
        for element in all(page, "*") {
            for (attribute, value) in element.value().attrs() {
                assert!(!attribute.starts_with("on"), "{name}: {attribute}");
                assert!(
                    !value.trim_start().starts_with("javascript:"),
                    "{name}: {attribute}"
                );
            }
        }
        for element in all(page, "[src], link[href], form[action]") {
            let url = ["src", "href", "action"]
                .iter()
                .find_map(|key| element.attr(key))
                .unwrap_or_default();
            assert!(url.starts_with('/') && !url.starts_with("//"), "{name}: {url}");
        }
    });
}

#[test]
fn u3_a_hostile_name_stays_text() {
    let hostile = "<img src=x onerror=alert(1)>\"'></script></title>";
    let mut list = DocumentIndexPage::sample();
    list.rows[0].name = hostile.into();
    list.narrowed.query = hostile.into();
    list.rows[1].tags = hostile.into();
    let shown = DocumentShowPage {
        name: hostile.into(),
        rename: Field::of(hostile),
        tags: vec![hostile.into()],
        tagging: Field::of(hostile),
        note: Field::of(hostile),
        recognised: hostile.into(),
        text: hostile.into(),
        ..DocumentShowPage::sample()
    };
    let deletion = TrashPurgePage {
        name: hostile.into(),
        ..TrashPurgePage::sample()
    };
    let mut trash = TrashIndexPage::sample();
    trash.rows[0].name = hostile.into();
    let mut emptying = TrashEmptyPage::sample();
    emptying.names[0] = hostile.into();
    let mut result = UploadResultPage::sample();
    result.files[0].name = hostile.into();
    for html in [
        list.render(),
        shown.render(),
        deletion.render(),
        trash.render(),
        emptying.render(),
        result.render(),
    ] {
        let page = Html::parse_document(&html.unwrap());
        assert!(all(&page, "[onerror], img[src=x]").is_empty());
        assert!(
            all(&page, "main")
                .iter()
                .any(|main| text(*main).contains(hostile))
        );
    }
}

#[test]
fn w22_what_webhooks_say_stays_text() {
    for html in [
        EventIndexPage::sample().render(),
        EventIndexPage::sample_empty().render(),
        EventShowPage::sample().render(),
        EventReplayPage::sample().render(),
        EventRefusalsPage::sample().render(),
        AuditIndexPage::sample().render(),
        AdminDocumentPage::sample().render(),
        AdminDocumentPage::sample_closed().render(),
    ] {
        let page = Html::parse_document(&html.unwrap());
        assert!(all(&page, "[onerror], img[src=x]").is_empty());
        assert!(page.html().contains("&lt;img src=x onerror="));
    }
}

#[test]
fn every_form_that_changes_something_begins_with_the_token() {
    each_page(|name, page| {
        for form in all(page, "form[method=post]") {
            let first = form.select(&Selector::parse("input").unwrap()).next();
            let token = first.filter(|input| input.attr("name") == Some("csrf_token"));
            assert!(
                token.is_some_and(|input| input.attr("value") != Some("")),
                "{name}: {}",
                form.html()
            );
        }
    });
}

#[test]
fn every_reference_inside_a_page_has_its_target() {
    each_page(|name, page| {
        let ids: Vec<_> = all(page, "[id]")
            .iter()
            .filter_map(|element| element.attr("id"))
            .collect();
        let unique: HashSet<_> = ids.iter().collect();
        assert_eq!(unique.len(), ids.len(), "{name}: an id is used twice");
        for key in [
            "for",
            "aria-labelledby",
            "aria-describedby",
            "data-copies",
            "data-reveals",
            "data-opens",
        ] {
            for element in all(page, &format!("[{key}]")) {
                for id in element.attr(key).unwrap_or_default().split_whitespace() {
                    assert!(ids.contains(&id), "{name}: {key}={id}");
                }
            }
        }
        for link in all(page, "a[href^='#']") {
            assert!(
                ids.contains(&&link.attr("href").unwrap_or_default()[1..]),
                "{name}"
            );
        }
        assert!(
            all(page, "[tabindex]")
                .iter()
                .all(|element| matches!(element.attr("tabindex"), Some("-1" | "0"))),
            "{name}"
        );
    });
}

#[test]
fn every_icon_is_in_the_sprite_and_every_picture_has_an_alternative() {
    let sprite = include_str!("../../../assets/icons.svg");
    each_page(|name, page| {
        for icon in all(page, "use") {
            let (file, symbol) = icon.attr("href").and_then(|href| href.split_once('#')).unwrap();
            assert_eq!(file, assets::url("icons.svg"), "{name}");
            assert!(
                sprite.contains(&format!("<symbol id=\"{symbol}\"")),
                "{name}: {symbol}"
            );
        }
        assert!(all(page, "img:not([alt])").is_empty(), "{name}");
        assert!(
            all(page, "table img:not([width][height][loading=lazy])").is_empty(),
            "{name}"
        );
    });
}

#[test]
fn the_list_is_a_table_with_a_row_for_each_document() {
    let page = Html::parse_document(&DocumentIndexPage::sample().render().unwrap());
    assert_eq!(all(&page, "table caption").len(), 1);
    assert_eq!(
        all(&page, "table tbody tr").len(),
        DocumentIndexPage::sample().rows.len()
    );
    assert_eq!(all(&page, "thead th[scope=col]").len(), 8);
    assert_eq!(all(&page, "thead th[aria-sort=descending] a").len(), 1);
    assert_eq!(
        all(&page, "a[rel=next]")[0].attr("href"),
        Some("/documents?after=cursor-after")
    );
    assert_eq!(
        all(&page, "a[rel=prev]")[0].attr("href"),
        Some("/documents?before=cursor-before")
    );
    assert!(text(all(&page, ".count")[0]).contains("1,234 documents"));
}

#[test]
fn no_match_offers_to_clear_and_nothing_yet_offers_to_upload() {
    let offered = |page: DocumentIndexPage| {
        let html = Html::parse_document(&page.render().unwrap());
        all(&html, ".empty a")
            .iter()
            .filter_map(|link| link.attr("href").map(str::to_owned))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        offered(DocumentIndexPage::sample_no_match()),
        ["/documents?sort=name"]
    );
    assert_eq!(offered(DocumentIndexPage::sample_empty()), ["/uploads/new"]);
    assert_eq!(offered(DocumentIndexPage::sample_past_the_end()), ["/documents"]);
}

#[test]
fn a_full_page_of_the_list_weighs_less_than_100_kb() {
    let mut page = DocumentIndexPage::sample();
    page.rows = page.rows.iter().cycle().take(50).cloned().collect();
    let html = page.render().unwrap();
    assert!(html.len() < 100_000, "{} bytes", html.len());
}

#[test]
fn a_password_is_never_sent_back() {
    each_page(|name, page| {
        assert!(all(page, "input[type=password][value]").is_empty(), "{name}");
    });
}

#[test]
fn samples_can_be_looked_at() {
    let Some(dir) = std::env::var_os("SATCHEL_PAGE_SAMPLES") else {
        return;
    };
    let dir = Path::new(&dir);
    for (name, html) in pages() {
        std::fs::write(dir.join(format!("{name}.html")), html).unwrap();
    }
    std::fs::create_dir_all(dir.join("assets")).unwrap();
    for (url, content) in assets::all() {
        std::fs::write(dir.join(url.trim_start_matches('/')), content).unwrap();
    }
}
