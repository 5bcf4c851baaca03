//! Lines, dots and captions of a plot, and logarithmic axes.

use super::html::{COLOURS, text};
use std::fmt::Write as _;

/// A drawing under way.
pub struct Drawing {
    width: f64,
    height: f64,
    body: String,
}

impl Drawing {
    /// An empty one of this size, in units of about a pixel.
    pub fn new(width: f64, height: f64) -> Drawing {
        Drawing { width, height, body: String::new() }
    }

    /// A line of a class of the page's style, or of a colour of it.
    pub fn line(&mut self, from: (f64, f64), to: (f64, f64), stroke: Stroke) {
        let ((x1, y1), (x2, y2)) = (from, to);
        let _ = writeln!(
            self.body,
            "<line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\" {}/>",
            stroke.attributes()
        );
    }

    /// A dot, with a title that shows when the reader points at it.
    pub fn dot(&mut self, (x, y): (f64, f64), colour: usize, title: &str) {
        let (fill, title) = (colour_name(colour), text(title));
        let _ = writeln!(
            self.body,
            "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\" style=\"fill: {fill}\"><title>{title}</title></circle>"
        );
    }

    /// A caption, beginning, centred or ending (`start`, `middle`, `end`) at a position.
    pub fn caption(&mut self, (x, y): (f64, f64), anchor: &str, faint: bool, caption: &str) {
        let class = if faint { " class=\"faint\"" } else { "" };
        let caption = text(caption);
        let _ = writeln!(self.body, "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\"{class}>{caption}</text>");
    }

    /// The drawing as an element of a page.
    pub fn element(self, label: &str) -> String {
        let Drawing { width, height, body } = self;
        let label = text(label);
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" width=\"{width:.0}\" \
             height=\"{height:.0}\" role=\"img\" aria-label=\"{label}\">\n{body}</svg>\n"
        )
    }
}

/// How a line looks.
#[derive(Clone, Copy)]
pub enum Stroke {
    /// A thin line of the grid.
    Rule,
    /// The line where ours and the peer's are the same.
    One,
    /// One of the page's colours.
    Colour(usize),
    /// The same, dashed: the peer's.
    Dashed(usize),
}

impl Stroke {
    fn attributes(self) -> String {
        match self {
            Stroke::Rule => "class=\"rule\"".to_string(),
            Stroke::One => "class=\"one\"".to_string(),
            Stroke::Colour(colour) => format!("style=\"stroke: {}; stroke-width: 1.8\"", colour_name(colour)),
            Stroke::Dashed(colour) => {
                format!("style=\"stroke: {}; stroke-width: 1.8; stroke-dasharray: 5 4\"", colour_name(colour))
            }
        }
    }
}

fn colour_name(colour: usize) -> String {
    format!("var(--c{})", colour % COLOURS)
}

/// A logarithmic axis: values from one power of ten to another, mapped to a stretch of the drawing.
pub struct Axis {
    low: i32,
    high: i32,
    from: f64,
    to: f64,
}

impl Axis {
    /// The axis that covers all these values, from position `from` to position `to`. Values without a logarithm are
    /// left out.
    pub fn around(values: impl Iterator<Item = f64>, from: f64, to: f64) -> Axis {
        let (mut least, mut most) = (f64::INFINITY, f64::NEG_INFINITY);
        for value in values.filter(|value| *value > 0.0 && value.is_finite()) {
            (least, most) = (least.min(value), most.max(value));
        }
        if least > most {
            (least, most) = (1.0, 1.0);
        }
        let low = least.log10().floor() as i32;
        Axis { low, high: (most.log10().ceil() as i32).max(low + 1), from, to }
    }

    /// The position of a value.
    pub fn position(&self, value: f64) -> f64 {
        let part = (value.log10() - f64::from(self.low)) / f64::from(self.high - self.low);
        self.from + part.clamp(0.0, 1.0) * (self.to - self.from)
    }

    /// The powers of ten.
    pub fn ticks(&self) -> impl Iterator<Item = f64> + use<> {
        (self.low..=self.high).map(|power| 10f64.powi(power))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_goes_from_power_to_power() {
        let axis = Axis::around([0.3, 20.0, 0.0, f64::INFINITY].into_iter(), 100.0, 400.0);
        assert_eq!(axis.ticks().collect::<Vec<_>>(), [0.1, 1.0, 10.0, 100.0]);
        assert_eq!((axis.position(0.1), axis.position(1.0).round(), axis.position(100.0)), (100.0, 200.0, 400.0));
        assert_eq!(Axis::around([].into_iter(), 0.0, 1.0).ticks().count(), 2);
    }
}
