//! The page.

use super::{Run, bar, plots, setting, spread, suites};
use crate::results::Line;
use crate::table::number;

/// The style sheet; the colours follow the reader's choice of light or dark.
pub const STYLE: &str = "
:root { color-scheme: light dark; --ink: #1d2430; --paper: #fff; --faint: #6b7686; --rule: #d9dee6; --ok: #1a7f4b;
  --bad: #b3261e; --c0: #2563b0; --c1: #d9730d; --c2: #1a7f4b; --c3: #8e44ad; --c4: #b3261e; --c5: #0f7b8a; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ef; --paper: #14181f; --faint: #98a2b3; --rule: #323b48;
  --ok: #5fce95; --bad: #ff8a80; --c0: #7ab0f0; --c1: #f5a65b; --c2: #5fce95; --c3: #c993e0; --c4: #ff8a80;
  --c5: #5cc8d7; } }
body { font: 15px/1.45 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 1100px;
  margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.2rem; margin-top: 2.5rem; border-bottom: 1px solid var(--rule); }
p.setting { color: var(--faint); font-size: .85rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .85rem; width: 100%; }
th, td { text-align: left; padding: .2rem .6rem; border-bottom: 1px solid var(--rule); white-space: nowrap; }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
.ok { color: var(--ok); } .missed { color: var(--bad); font-weight: 600; }
svg { max-width: 100%; height: auto; display: block; margin: 1rem 0; }
svg text { font: 12px system-ui, sans-serif; fill: var(--ink); } svg text.faint { fill: var(--faint); }
svg .rule { stroke: var(--rule); } svg .one { stroke: var(--ink); }
nav { font-size: .85rem; color: var(--faint); }
";

/// How many colours the page has, one for each file.
pub const COLOURS: usize = 6;

/// The whole page.
pub fn page(runs: &[Run]) -> String {
    let mut body = String::new();
    let named = |(colour, run): (usize, &Run)| {
        format!("<span style=\"color: var(--c{})\">&#9679;</span> {}", colour % COLOURS, text(&run.name))
    };
    let names: Vec<String> = runs.iter().enumerate().map(named).collect();
    body.push_str("<h1>What mobula costs</h1>\n");
    body.push_str(&format!("<nav>{}</nav>\n", names.join(" &middot; ")));
    body.push_str(
        "<p>Ours and the peer's were sampled in turn in the same run. A number is the median, with the least and the \
         greatest sample in brackets; noise is how far these lie apart, as a part of the median; the ratio is ours \
         over the peer's, the median of the rounds. Below 1x we take less of what a unit counts: good for times and \
         bytes, bad for rates.</p>\n",
    );
    for suite in suites(runs) {
        body.push_str(&format!("<h2>{}</h2>\n", text(suite)));
        body.push_str(&plots::ratios(runs, suite));
        body.push_str(&plots::by_size(runs, suite));
        for run in runs {
            body.push_str(&table(run, suite, runs.len() > 1));
        }
    }
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" \
         content=\"width=device-width\">\n\
         <title>What mobula costs</title>\n<style>{STYLE}</style>\n<body>\n{body}</body>\n</html>\n"
    )
}

fn table(run: &Run, suite: &str, named: bool) -> String {
    let Some(first) = run.of(suite).next() else { return String::new() };
    let name = if named { format!("{}: ", text(&run.name)) } else { String::new() };
    let mut rows = format!("<p class=\"setting\">{name}{}</p>\n<div class=\"wide\"><table>\n", text(&setting(first)));
    rows.push_str("<tr><th>case<th>unit<th>median<th>(min..max)<th>noise<th>peer<th><th>ratio<th>bar<th></tr>\n");
    run.of(suite).for_each(|line| rows.push_str(&row(line)));
    rows.push_str("</table></div>\n");
    rows
}

fn row(line: &Line) -> String {
    let shown = |value: Option<f64>| value.map_or("&ndash;".to_string(), number);
    let noise = spread(line).map_or(String::new(), |spread| format!("{:.0} %", spread * 100.0));
    let ratio = line.ratio.map_or(String::new(), |ratio| format!("{}x", number(ratio)));
    let (bar, status) = bar(line);
    let (peer, peer_value) = match &line.peer {
        Some(peer) => (text(peer), shown(line.peer_value)),
        None => (String::new(), String::new()),
    };
    format!(
        "<tr><td>{}<td>{}<td class=\"number\">{}<td>({}..{})<td class=\"number\">{noise}<td \
         class=\"number\">{peer_value}\
         <td>{peer}<td class=\"number\">{ratio}<td>{}<td class=\"{status}\">{status}</tr>\n",
        text(&line.case),
        text(&line.unit),
        shown(line.median),
        shown(line.min),
        shown(line.max),
        text(&bar),
    )
}

/// Text escaped for a page.
pub fn text(plain: &str) -> String {
    plain.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
