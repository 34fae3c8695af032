//! The administrators' first screen: is it healthy, what failed, what is filling up, since when.

use askama::Template;
use time::OffsetDateTime;

use super::filters;
use super::shell::Shell;

/// The height of a chart, in its own units.
const HEIGHT: i64 = 120;
/// The width of a bar and the gap beside it.
const STEP: usize = 20;

/// `GET /admin`.
#[derive(Debug, Clone, Template)]
#[template(path = "admin/index.html")]
pub struct OverviewPage {
    /// What surrounds the page.
    pub shell: Shell,
    /// The time that "3 hours ago" is counted from.
    pub now: OffsetDateTime,
    /// Up to when the figures are counted.
    pub counted_until: Option<OffsetDateTime>,
    /// What is looked at, what is wrong first.
    pub checks: Vec<Check>,
    /// Numbers, each with the table that it sums up.
    pub figures: Vec<BigFigure>,
    /// What changed over time.
    pub charts: Vec<Chart>,
    /// Kinds of jobs and how many of each have failed for good.
    pub failures: Vec<Failures>,
}

/// One thing that is well or not.
#[derive(Debug, Clone)]
pub struct Check {
    /// What is looked at.
    pub label: &'static str,
    /// How it is, and since when.
    pub says: String,
    /// Where to see more.
    pub href: String,
    /// Whether it is well.
    pub good: bool,
}

/// A number to be seen from afar.
#[derive(Debug, Clone)]
pub struct BigFigure {
    /// What it counts.
    pub label: &'static str,
    /// The number, dressed.
    pub value: String,
    /// What is said beside it.
    pub note: String,
    /// The table that it sums up.
    pub href: &'static str,
}

/// Jobs of one kind that failed.
#[derive(Debug, Clone)]
pub struct Failures {
    /// The kind.
    pub kind: String,
    /// How many.
    pub count: i64,
    /// Of a hundred, measured by the most frequent kind.
    pub share: i64,
}

/// A value for each day, as bars and as a table.
#[derive(Debug, Clone)]
pub struct Chart {
    /// For references inside the page.
    pub id: &'static str,
    /// What is shown.
    pub title: &'static str,
    /// The last value and what came before, in words.
    pub summary: String,
    /// The table that it sums up.
    pub href: &'static str,
    /// The days, the first one first.
    pub bars: Vec<Bar>,
}

/// A day of a chart.
#[derive(Debug, Clone)]
pub struct Bar {
    /// The day.
    pub day: String,
    /// The value.
    pub value: i64,
    /// The value, dressed.
    pub shown: String,
}

impl OverviewPage {
    /// Whether everything is well.
    pub fn is_well(&self) -> bool {
        self.checks.iter().all(|check| check.good)
    }
}

impl Check {
    /// The icon that says the same without colour.
    pub fn icon(&self) -> &'static str {
        if self.good { "check" } else { "alert" }
    }

    /// The class that colours it.
    pub fn class(&self) -> &'static str {
        if self.good {
            "status-ready"
        } else {
            "status-failed"
        }
    }

    /// The same in a word.
    pub fn word(&self) -> &'static str {
        if self.good { "Good" } else { "Needs a look" }
    }
}

impl Chart {
    /// Width and height of the drawing.
    pub fn view_box(&self) -> String {
        format!("0 0 {} {HEIGHT}", self.bars.len().max(1) * STEP)
    }

    /// Where each bar begins from the left, where its top is, how high it is, and what it stands for.
    pub fn drawn(&self) -> Vec<(usize, i64, i64, &Bar)> {
        let place = |(at, bar)| (at * STEP + 2, HEIGHT - self.height(bar), self.height(bar), bar);
        self.bars.iter().enumerate().map(place).collect()
    }

    /// How wide bars are.
    pub fn bar_width(&self) -> usize {
        STEP - 4
    }

    /// How high a bar is: what is not nothing can be seen.
    fn height(&self, bar: &Bar) -> i64 {
        let top = self.bars.iter().map(|bar| bar.value).max().unwrap_or(0);
        if top <= 0 || bar.value <= 0 {
            return 0;
        }
        let height = i128::from(bar.value) * i128::from(HEIGHT) / i128::from(top);
        i64::try_from(height).unwrap_or(HEIGHT).max(2)
    }

    /// The highest value.
    pub fn top(&self) -> &str {
        let top = self.bars.iter().max_by_key(|bar| bar.value);
        top.map_or("", |bar| &bar.shown)
    }

    /// The first day.
    pub fn first_day(&self) -> &str {
        self.bars.first().map_or("", |bar| &bar.day)
    }

    /// The last day.
    pub fn last_day(&self) -> &str {
        self.bars.last().map_or("", |bar| &bar.day)
    }
}

#[cfg(test)]
mod samples {
    use time::macros::datetime;

    use super::*;

    impl OverviewPage {
        pub(in super::super) fn sample() -> Self {
            let bars = (0..30)
                .map(|day| Bar {
                    day: format!("{} Mar 2026", day + 1),
                    value: day * day % 17,
                    shown: format!("{}", day * day % 17),
                })
                .collect();
            OverviewPage {
                shell: Shell::sample("/admin"),
                now: datetime!(2026-03-12 14:05 UTC),
                counted_until: Some(datetime!(2026-03-12 14:04 UTC)),
                checks: vec![
                    Check {
                        label: "Background work",
                        says: "<b>3</b> jobs have failed".into(),
                        href: "/admin/jobs?state=dead".into(),
                        good: false,
                    },
                    Check {
                        label: "Filestack",
                        says: "Answers.".into(),
                        href: "/admin/jobs".into(),
                        good: true,
                    },
                ],
                figures: vec![BigFigure {
                    label: "Storage",
                    value: "1.2 GiB".into(),
                    note: "1,234 documents".into(),
                    href: "/admin/documents",
                }],
                charts: vec![Chart {
                    id: "uploads",
                    title: "Uploads a day",
                    summary: "4 today".into(),
                    href: "/admin/audit?action=document.add",
                    bars,
                }],
                failures: vec![Failures {
                    kind: "send-mail".into(),
                    count: 3,
                    share: 100,
                }],
            }
        }

        pub(in super::super) fn sample_fresh() -> Self {
            OverviewPage {
                counted_until: None,
                checks: Vec::new(),
                failures: Vec::new(),
                ..Self::sample()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_bar_fills_the_chart_and_the_smallest_can_be_seen() {
        let bar = |value| Bar {
            day: String::new(),
            value,
            shown: value.to_string(),
        };
        let chart = Chart {
            id: "a",
            title: "A",
            summary: String::new(),
            href: "/admin",
            bars: vec![bar(0), bar(1), bar(i64::MAX)],
        };
        let heights: Vec<_> = chart.bars.iter().map(|bar| chart.height(bar)).collect();
        assert_eq!(heights, [0, 2, HEIGHT]);
        assert_eq!(chart.drawn()[2].1, 0);
    }
}
