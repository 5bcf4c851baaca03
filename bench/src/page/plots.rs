//! The plots: every case as a multiple of its peer, and numbers by size where cases of a suite differ by size alone.

use super::Run;
use super::html::STYLE;
use super::svg::{Axis, Drawing, Stroke};
use crate::case::less_is_better;
use crate::results::Line;
use crate::table::number;

const WIDTH: f64 = 1000.0;

/// The names are left of it.
const NAMES: f64 = 320.0;

const ROW: f64 = 22.0;
const HEAD: f64 = 40.0;

/// The plots of a suite as files by themselves: their names and contents.
pub fn files(runs: &[Run], suite: &str) -> Vec<(String, String)> {
    let all = ratios(runs, suite) + &by_size(runs, suite);
    let drawings = all.split_inclusive("</svg>\n").filter(|drawing| !drawing.trim().is_empty());
    let name = |index: usize| if index == 0 { format!("{suite}.svg") } else { format!("{suite}-{index}.svg") };
    // The page's style is the drawing's as well: it has the same names for its colours.
    let styled = |drawing: &str| drawing.replacen('>', &format!(">\n<style>{STYLE}</style>"), 1);
    drawings.enumerate().map(|(index, drawing)| (name(index), styled(drawing))).collect()
}

/// A row for each case: our ratio to the peer, with a line from the least to the greatest sample. Right of the line in
/// the middle mobula is better, whether less is better or more.
pub fn ratios(runs: &[Run], suite: &str) -> String {
    let mut cases: Vec<&str> = Vec::new();
    for line in runs.iter().flat_map(|run| run.of(suite)).filter(|line| advantage(line).is_some()) {
        if !cases.contains(&line.case.as_str()) {
            cases.push(&line.case);
        }
    }
    if cases.is_empty() {
        return String::new();
    }
    let bottom = HEAD + ROW * cases.len() as f64;
    let mut drawing = Drawing::new(WIDTH, bottom + 30.0);
    let all = runs.iter().flat_map(|run| run.of(suite)).filter_map(advantage);
    let axis = Axis::around(all.flat_map(|(low, _, high)| [low, high]).chain([0.3, 3.0]), NAMES + 10.0, WIDTH - 20.0);
    for tick in axis.ticks() {
        let x = axis.position(tick);
        drawing.line((x, HEAD - 10.0), (x, bottom), if tick == 1.0 { Stroke::One } else { Stroke::Rule });
        drawing.caption((x, bottom + 16.0), "middle", true, &format!("{tick}x"));
    }
    drawing.caption((axis.position(1.0) - 8.0, HEAD - 16.0), "end", true, "the peer is better");
    drawing.caption((axis.position(1.0) + 8.0, HEAD - 16.0), "start", true, "mobula is better");
    for (index, case) in cases.iter().enumerate() {
        let y = HEAD + ROW * (index as f64 + 0.5);
        drawing.caption((NAMES - 6.0, y + 4.0), "end", false, case);
        for (colour, line) in runs.iter().enumerate().flat_map(|(colour, run)| of_case(run, suite, case, colour)) {
            let Some((low, middle, high)) = advantage(line) else { continue };
            let y = y + 5.0 * (colour as f64 - (runs.len() - 1) as f64 / 2.0);
            drawing.line((axis.position(low), y), (axis.position(high), y), Stroke::Colour(colour));
            let peer = line.peer.as_deref().unwrap_or_default();
            let title = format!("{case}: {middle:.3} times as good as {peer} ({})", runs[colour].name);
            drawing.dot((axis.position(middle), y), colour, &title);
        }
    }
    drawing.element(&format!("{suite}: every case as a multiple of its peer"))
}

fn of_case<'a>(
    run: &'a Run,
    suite: &'a str,
    case: &'a str,
    colour: usize,
) -> impl Iterator<Item = (usize, &'a Line)> + use<'a> {
    run.of(suite).filter(move |line| line.case == case).map(move |line| (colour, line))
}

/// How many times better than the peer: by the worst sample, by the median ratio, by the best sample.
fn advantage(line: &Line) -> Option<(f64, f64, f64)> {
    let (ratio, median) = (line.ratio?, line.median?);
    let (min, max) = (line.min?, line.max?);
    if ratio <= 0.0 || median <= 0.0 || min <= 0.0 {
        return None;
    }
    let at = |value: f64| ratio * value / median;
    Some(if less_is_better(&line.unit) {
        (1.0 / at(max), 1.0 / ratio, 1.0 / at(min))
    } else {
        (at(min), ratio, at(max))
    })
}

/// Least number of sizes that make a curve.
const SIZES_MIN: usize = 3;

/// Curves of the cases whose names differ in their size alone, the peer's dashed.
pub fn by_size(runs: &[Run], suite: &str) -> String {
    let mut families: Vec<(String, String)> = Vec::new();
    for line in runs.iter().flat_map(|run| run.of(suite)) {
        if let Some((family, _)) = sized(&line.case) {
            let key = (family, line.unit.clone());
            if !families.contains(&key) {
                families.push(key);
            }
        }
    }
    families.iter().map(|(family, unit)| curve(runs, suite, family, unit)).collect()
}

/// The part of a case's name before its size, and the size in bytes: `round trip, 8 B`, `get, array of 1 MiB`.
fn sized(case: &str) -> Option<(String, f64)> {
    let (prefix, unit) = case.rsplit_once(' ')?;
    let scale = match unit {
        "B" => 1.0,
        "KiB" => 1024.0,
        "MiB" => 1024.0 * 1024.0,
        "GiB" => 1024.0 * 1024.0 * 1024.0,
        _ => return None,
    };
    let (family, count) = prefix.rsplit_once(' ')?;
    Some((family.trim_end_matches([',', ' ']).to_string(), count.parse::<f64>().ok()? * scale))
}

fn curve(runs: &[Run], suite: &str, family: &str, unit: &str) -> String {
    let (top, bottom, left, right) = (34.0, 250.0, 70.0, 620.0);
    let points = |run: &Run, value: fn(&Line) -> Option<f64>| {
        let mut points: Vec<(f64, f64)> = run
            .of(suite)
            .filter(|line| line.unit == unit)
            .filter_map(|line| sized(&line.case).filter(|(own, _)| own == family).zip(value(line)))
            .map(|((_, size), value)| (size, value))
            .filter(|(size, value)| *size > 0.0 && *value > 0.0)
            .collect();
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        points
    };
    let series: Vec<(usize, bool, Vec<(f64, f64)>)> = runs
        .iter()
        .enumerate()
        .flat_map(|(colour, run)| {
            [(colour, false, points(run, |line| line.median)), (colour, true, points(run, |line| line.peer_value))]
        })
        .collect();
    if series.iter().all(|(_, _, points)| points.len() < SIZES_MIN) {
        return String::new();
    }
    let all = || series.iter().flat_map(|(_, _, points)| points.iter().copied());
    let (across, up) =
        (Axis::around(all().map(|point| point.0), left, right), Axis::around(all().map(|point| point.1), bottom, top));
    let mut drawing = Drawing::new(660.0, 290.0);
    drawing.caption((left, 18.0), "start", false, &format!("{family}, {unit} by bytes; the peer's dashed"));
    for tick in up.ticks() {
        drawing.line((left, up.position(tick)), (right, up.position(tick)), Stroke::Rule);
        drawing.caption((left - 8.0, up.position(tick) + 4.0), "end", true, &tick.to_string());
    }
    for tick in across.ticks() {
        drawing.line((across.position(tick), top), (across.position(tick), bottom), Stroke::Rule);
        drawing.caption((across.position(tick), bottom + 18.0), "middle", true, &bytes(tick));
    }
    for (colour, is_peer, points) in &series {
        let stroke = if *is_peer { Stroke::Dashed(*colour) } else { Stroke::Colour(*colour) };
        let position = |point: &(f64, f64)| (across.position(point.0), up.position(point.1));
        points.windows(2).for_each(|pair| drawing.line(position(&pair[0]), position(&pair[1]), stroke));
        for point in points {
            let side = if *is_peer { "the peer" } else { "mobula" };
            drawing.dot(position(point), *colour, &format!("{side}, {}: {} {unit}", bytes(point.0), number(point.1)));
        }
    }
    drawing.element(&format!("{suite}: {family} by size"))
}

fn bytes(count: f64) -> String {
    match count {
        count if count < 1e3 => format!("{count} B"),
        count if count < 1e6 => format!("{:.0} kB", count / 1e3),
        count if count < 1e9 => format!("{:.0} MB", count / 1e6),
        count => format!("{:.0} GB", count / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::tests::line;

    #[test]
    fn a_size_at_the_end_of_a_name_is_found() {
        assert_eq!(sized("round trip, 8 B"), Some(("round trip".to_string(), 8.0)));
        assert_eq!(sized("get, array of 1 MiB"), Some(("get, array of".to_string(), 1_048_576.0)));
        assert_eq!(sized("get_all, 10,000 objects of 8 B").map(|sized| sized.1), Some(8.0));
        assert!(sized("tasks, 10,000 in flight").is_none() && sized("MiB").is_none());
    }

    #[test]
    fn better_is_to_the_right_for_times_and_for_rates() {
        let half = line("a", 4.0);
        assert_eq!(advantage(&half).map(|(_, middle, _)| middle), Some(0.5), "a time of twice the peer's");
        let rate = Line { unit: "M/s".to_string(), ..half };
        assert_eq!(advantage(&rate).map(|(_, middle, _)| middle), Some(2.0));
        let (low, middle, high) = advantage(&rate).unwrap();
        assert!(low < middle && middle < high);
    }

    #[test]
    fn three_sizes_make_a_curve_and_two_do_not() {
        let of =
            |cases: &[&str]| [Run { name: "a".to_string(), lines: cases.iter().map(|case| line(case, 1.0)).collect() }];
        assert!(by_size(&of(&["a, 1 B", "a, 1 KiB", "a, 1 MiB"]), "rpc").contains("<svg"));
        assert_eq!(by_size(&of(&["a, 1 B", "a, 1 KiB"]), "rpc"), "");
    }
}
