//! Amounts of resources: what a host has, what a task asks for, and what is missing.

use crate::base::Seat;
use serde::{Deserialize, Serialize};

/// One whole CPU, GPU or unit of a custom resource (D1).
pub const UNIT: i64 = 10_000;

/// What nobody has: a billion.
const AMOUNT_MAX: i64 = 1_000_000_000 * UNIT;

/// An amount in ten-thousandths, rounded to the nearest.
pub fn fixed_of(amount: f64) -> i64 {
    (amount * UNIT as f64).round() as i64
}

/// Ten-thousandths as an amount.
pub fn amount_of(fixed: i64) -> f64 {
    fixed as f64 / UNIT as f64
}

/// What a host has in all, in ten-thousandths. Custom kinds are sorted by name, so that every rank counts alike.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Totals {
    /// CPUs.
    pub cpu: i64,
    /// GPUs, whole ones.
    pub gpu: i64,
    /// Custom names.
    pub custom: Vec<(String, i64)>,
}

/// What a task or actor asks for, in ten-thousandths.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Request {
    /// CPUs of the host: those of a bundle are the host's no more.
    pub cpu: i64,
    /// GPUs.
    pub gpu: i64,
    /// Custom names.
    pub custom: Vec<(String, i64)>,
    /// The bundle that it is taken from instead of the host, and the CPUs of it.
    pub seat: Option<(Seat, i64)>,
}

/// What a task or actor was given beside CPUs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grant {
    /// GPU and share of it.
    pub gpus: Vec<(u32, i64)>,
    /// Index of the kind among the host's, and amount.
    pub custom: Vec<(usize, i64)>,
    /// The bundle that it was taken from instead of the host, and the CPUs that were.
    pub bundle: Option<(Seat, i64)>,
}

impl Request {
    /// What a task asks for when it says nothing: one CPU.
    pub const fn one_cpu() -> Request {
        Request { cpu: UNIT, gpu: 0, custom: Vec::new(), seat: None }
    }

    /// Whether no amount is below zero: it may have come from a peer.
    pub fn is_sound(&self) -> bool {
        let bundle = self.seat.map_or(0, |(_, cpu)| cpu);
        let custom = self.custom.iter().map(|(_, amount)| *amount);
        [self.cpu, self.gpu, bundle].into_iter().chain(custom).all(|amount| (0..=AMOUNT_MAX).contains(&amount))
    }

    /// As text: `2 CPU, 1 GPU`.
    pub fn shown(&self) -> String {
        let cpu = self.seat.map_or(self.cpu, |(_, cpu)| cpu);
        let custom = self.custom.iter().map(|(name, amount)| (name.as_str(), *amount));
        let all = [("CPU", cpu), ("GPU", self.gpu)].into_iter().chain(custom).filter(|(_, amount)| *amount > 0);
        let all: Vec<String> = all.map(|(name, amount)| format!("{} {name}", amount_of(amount))).collect();
        if all.is_empty() { "nothing".to_string() } else { all.join(", ") }
    }
}

impl Totals {
    /// Each kind's name and amount.
    pub fn amounts(&self) -> Vec<(String, f64)> {
        let custom = self.custom.iter().map(|(name, total)| (name.clone(), amount_of(*total)));
        [("CPU".to_string(), amount_of(self.cpu)), ("GPU".to_string(), amount_of(self.gpu))]
            .into_iter()
            .chain(custom)
            .collect()
    }

    /// Takes `request` away, where all of it is there; false where it is not.
    pub fn take(&mut self, request: &Request) -> bool {
        if self.missing(request).is_some() {
            return false;
        }
        self.cpu -= request.cpu;
        self.gpu -= request.gpu;
        for (name, wanted) in &request.custom {
            if let Some((_, have)) = self.custom.iter_mut().find(|(own, _)| own == name) {
                *have -= wanted;
            }
        }
        true
    }

    /// Adds what `take` took away.
    pub fn give(&mut self, request: &Request) {
        self.cpu += request.cpu;
        self.gpu += request.gpu;
        for (name, wanted) in &request.custom {
            if let Some((_, have)) = self.custom.iter_mut().find(|(own, _)| own == name) {
                *have += wanted;
            }
        }
    }

    /// What of `request` a host with these totals can never give, as text; `None` where it can give all of it.
    pub fn missing(&self, request: &Request) -> Option<String> {
        let have = |name: &str| self.custom.iter().find(|(own, _)| own == name).map_or(0, |(_, total)| *total);
        let lines: Vec<String> = [("CPU", request.cpu, self.cpu), ("GPU", request.gpu, self.gpu)]
            .into_iter()
            .chain(request.custom.iter().map(|(name, wanted)| (name.as_str(), *wanted, have(name))))
            .filter(|(_, wanted, total)| wanted > total)
            .map(|(name, wanted, total)| format!("{} {name} wanted, {} there", amount_of(wanted), amount_of(total)))
            .collect();
        let fractional = request.gpu > UNIT && request.gpu % UNIT != 0;
        let odd = fractional.then(|| format!("{} GPU wanted: above 1, only whole GPUs", amount_of(request.gpu)));
        let all: Vec<String> = lines.into_iter().chain(odd).collect();
        (!all.is_empty()).then(|| all.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn totals() -> Totals {
        Totals { cpu: fixed_of(2.0), gpu: fixed_of(1.0), custom: vec![("Custom".to_string(), fixed_of(0.5))] }
    }

    #[test]
    fn fractions_add_up_exactly() {
        assert_eq!((0..10).map(|_| fixed_of(0.1)).sum::<i64>(), UNIT);
    }

    #[test]
    fn what_is_missing_is_named_with_both_numbers() {
        assert_eq!(totals().missing(&Request::one_cpu()), None);
        let request = Request { cpu: fixed_of(3.0), custom: vec![("Licence".to_string(), UNIT)], ..Request::default() };
        let missing = totals().missing(&request).unwrap();
        assert!(
            missing.contains("3 CPU wanted, 2 there") && missing.contains("1 Licence wanted, 0 there"),
            "{missing}"
        );
    }

    #[test]
    fn one_and_a_half_gpus_are_never_met() {
        let request = Request { gpu: fixed_of(1.5), ..Request::default() };
        let many = Totals { gpu: fixed_of(4.0), ..totals() };
        assert!(many.missing(&request).unwrap().contains("whole GPUs"));
    }
}
