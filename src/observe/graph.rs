//! The computation graph: layers by dependency, tasks as boxes, objects as ovals.

use crate::base::trace::TaskRecord;
use crate::observe::joined;
use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;

const COLUMN: f64 = 130.0;
const ROW: f64 = 70.0;
const MARGIN: f64 = 40.0;

/// Tasks drawn at most; of a larger graph the first ones are drawn, with a note.
const DRAWN_MAX: usize = 2_000;

#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Vertex {
    Driver,
    Task(u64),
    Object(u64),
}

/// The graph as an SVG document.
pub fn graph(records: &[TaskRecord]) -> String {
    let all = joined(records);
    let tasks = &all[..all.len().min(DRAWN_MAX)];
    let layers = layers(tasks);
    let mut rows: BTreeMap<usize, Vec<Vertex>> = BTreeMap::new();
    let mut vertices: Vec<(&Vertex, &usize)> = layers.iter().collect();
    vertices.sort();
    for (vertex, layer) in vertices {
        rows.entry(*layer).or_default().push(*vertex);
    }
    let widest = rows.values().map(Vec::len).max().unwrap_or(1) as f64;
    let (width, height) = (widest * COLUMN + 2.0 * MARGIN, rows.len() as f64 * ROW + 2.0 * MARGIN);
    let mut positions: HashMap<Vertex, (f64, f64)> = HashMap::new();
    for (row, vertices) in rows.values().enumerate() {
        let left = (width - vertices.len() as f64 * COLUMN) / 2.0;
        for (column, vertex) in vertices.iter().enumerate() {
            positions.insert(*vertex, (left + (column as f64 + 0.5) * COLUMN, MARGIN + (row as f64 + 0.5) * ROW));
        }
    }
    let names: HashMap<u64, &TaskRecord> = tasks.iter().map(|task| (task.task, task)).collect();
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" font-size=\"11\" text-anchor=\"middle\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    );
    draw_lines(&mut svg, tasks, &positions);
    for (vertex, (x, y)) in positions.iter().collect::<BTreeMap<_, _>>() {
        draw_vertex(&mut svg, *vertex, *x, *y, &names);
    }
    if all.len() > tasks.len() {
        let _ = writeln!(
            svg,
            "<text x=\"{}\" y=\"16\">the first {} of {} tasks</text>",
            width / 2.0,
            tasks.len(),
            all.len()
        );
    }
    svg.push_str("</svg>\n");
    svg
}

/// The distance of each vertex from the driver along the longest path.
fn layers(tasks: &[TaskRecord]) -> HashMap<Vertex, usize> {
    let mut layers = HashMap::from([(Vertex::Driver, 0)]);
    // Records are in the order of submission, so a task's inputs and its submitter come before it; a few rounds reach
    // the fixed point for the others.
    for _ in 0..8 {
        let mut changed = false;
        for task in tasks {
            let submitter = layers.get(&parent_of(task, &layers)).copied().unwrap_or(0);
            let taken = task.inputs.iter().filter_map(|object| layers.get(&Vertex::Object(*object))).max();
            let layer = 1 + submitter.max(taken.copied().unwrap_or(0));
            changed |= layers.insert(Vertex::Task(task.task), layer) != Some(layer);
            for object in &task.outputs {
                changed |= layers.insert(Vertex::Object(*object), layer + 1) != Some(layer + 1);
            }
            for object in &task.inputs {
                layers.entry(Vertex::Object(*object)).or_insert(1);
            }
        }
        if !changed {
            break;
        }
    }
    layers
}

fn parent_of<V>(task: &TaskRecord, drawn: &HashMap<Vertex, V>) -> Vertex {
    let parent = Vertex::Task(task.parent);
    if drawn.contains_key(&parent) { parent } else { Vertex::Driver }
}

fn draw_lines(svg: &mut String, tasks: &[TaskRecord], positions: &HashMap<Vertex, (f64, f64)>) {
    let mut line = |from: Vertex, to: Vertex, dotted: bool| {
        let (Some((x1, y1)), Some((x2, y2))) = (positions.get(&from), positions.get(&to)) else { return };
        let style = if dotted { "stroke=\"#999\" stroke-dasharray=\"3,3\"" } else { "stroke=\"#333\"" };
        let _ = writeln!(svg, "<line x1=\"{x1:.0}\" y1=\"{y1:.0}\" x2=\"{x2:.0}\" y2=\"{y2:.0}\" {style}/>");
    };
    for task in tasks {
        let own = Vertex::Task(task.task);
        line(parent_of(task, positions), own, true);
        task.inputs.iter().for_each(|object| line(Vertex::Object(*object), own, false));
        task.outputs.iter().for_each(|object| line(own, Vertex::Object(*object), false));
    }
}

fn draw_vertex(svg: &mut String, vertex: Vertex, x: f64, y: f64, tasks: &HashMap<u64, &TaskRecord>) {
    let (text, fill) = match vertex {
        Vertex::Driver => ("driver".to_string(), "#eee"),
        Vertex::Task(number) => (tasks.get(&number).map_or_else(String::new, |task| escaped(&task.name)), "#cfe2ff"),
        Vertex::Object(number) => {
            let label = format!("o{}.{}", number >> 40, number & ((1 << 40) - 1));
            let _ = writeln!(
                svg,
                "<ellipse cx=\"{x:.0}\" cy=\"{y:.0}\" rx=\"38\" ry=\"14\" fill=\"#fff3cd\" stroke=\"#333\"/>"
            );
            let _ = writeln!(svg, "<text x=\"{x:.0}\" y=\"{:.0}\">{label}</text>", y + 4.0);
            return;
        }
    };
    let _ = writeln!(
        svg,
        "<rect x=\"{:.0}\" y=\"{:.0}\" width=\"110\" height=\"28\" fill=\"{fill}\" stroke=\"#333\"/>",
        x - 55.0,
        y - 14.0
    );
    let _ = writeln!(svg, "<text x=\"{x:.0}\" y=\"{:.0}\">{text}</text>", y + 4.0);
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn submitted(task: u64, parent: u64, name: &str, takes: &[u64], makes: &[u64]) -> TaskRecord {
        TaskRecord {
            task,
            parent,
            name: name.to_string(),
            inputs: takes.to_vec(),
            outputs: makes.to_vec(),
            rank: u32::MAX,
            worker: 0,
            began_ns: 0,
            ended_ns: 0,
        }
    }

    #[test]
    fn graph_places_dependents_below_and_draws_every_line() {
        let records = [
            submitted(1, 0, "zeros", &[], &[11]),
            submitted(2, 0, "zeros", &[], &[12]),
            submitted(3, 0, "dot<f64>", &[11, 12], &[13]),
        ];
        let layers = layers(&records);
        assert!(layers[&Vertex::Task(3)] > layers[&Vertex::Object(11)]);
        assert!(layers[&Vertex::Object(13)] > layers[&Vertex::Task(3)]);
        let svg = graph(&records);
        assert_eq!(svg.matches("stroke-dasharray").count(), 3, "three submissions");
        assert_eq!(svg.matches("<ellipse").count(), 3, "three objects");
        assert_eq!(svg.matches("<line").count(), 3 + 3 + 2, "submissions, results, arguments");
        assert!(svg.contains("dot&lt;f64&gt;"));
    }
}
