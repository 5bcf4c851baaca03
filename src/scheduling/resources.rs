//! Amounts of resources: what a host has, what a task requests, and what is missing.

use crate::base::BundleSlot;
use serde::{Deserialize, Serialize};

/// One whole CPU, GPU or unit of a custom resource (SCHEDULING-1).
pub const UNIT: i64 = 10_000;

/// More than any host has: a billion.
const AMOUNT_MAX: i64 = 1_000_000_000 * UNIT;

/// An amount in ten-thousandths, rounded to the nearest.
pub fn fixed_of(amount: f64) -> i64 {
    (amount * UNIT as f64).round() as i64
}

/// Ten-thousandths as an amount.
pub fn amount_of(fixed: i64) -> f64 {
    fixed as f64 / UNIT as f64
}

/// The total resources of a host, in ten-thousandths. Custom kinds are sorted by name, so that every rank numbers them
/// alike.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Totals {
    /// CPUs.
    pub cpu: i64,
    /// GPUs, whole ones.
    pub gpu: i64,
    /// Custom names.
    pub custom: Vec<(String, i64)>,
}

/// The resources that a task or actor requests, in ten-thousandths.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ResourceRequest {
    /// CPUs of the host: those of a bundle no longer belong to the host.
    pub cpu: i64,
    /// GPUs.
    pub gpu: i64,
    /// Custom names.
    pub custom: Vec<(String, i64)>,
    /// The bundle from which it is taken instead of the host, and the CPUs of it.
    pub bundle: Option<(BundleSlot, i64)>,
}

/// The resources other than CPUs that a task or actor was granted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grant {
    /// GPU and share of it.
    pub gpus: Vec<(u32, i64)>,
    /// Index of the kind among the host's, and amount.
    pub custom: Vec<(usize, i64)>,
    /// The bundle from which it was taken instead of the host, and the CPUs of it.
    pub bundle: Option<(BundleSlot, i64)>,
}

impl ResourceRequest {
    /// The default request of a task: one CPU.
    pub const fn one_cpu() -> ResourceRequest {
        ResourceRequest { cpu: UNIT, gpu: 0, custom: Vec::new(), bundle: None }
    }

    /// True if no amount is negative or too large: it may have come from a peer.
    pub fn is_sound(&self) -> bool {
        let bundle = self.bundle.map_or(0, |(_, cpu)| cpu);
        let custom = self.custom.iter().map(|(_, amount)| *amount);
        [self.cpu, self.gpu, bundle].into_iter().chain(custom).all(|amount| (0..=AMOUNT_MAX).contains(&amount))
    }

    /// The CPUs, of the host or of a bundle; a part counts whole.
    pub fn cores(&self) -> usize {
        let cpu = self.bundle.map_or(self.cpu, |(_, cpu)| cpu);
        usize::try_from((cpu + UNIT - 1) / UNIT).unwrap_or(0)
    }

    /// As text: `2 CPU, 1 GPU`.
    pub fn displayed(&self) -> String {
        let cpu = self.bundle.map_or(self.cpu, |(_, cpu)| cpu);
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

    /// Subtracts `request` if all of it is there; false if it is not.
    pub fn take(&mut self, request: &ResourceRequest) -> bool {
        if self.missing(request).is_some() {
            return false;
        }
        self.add(request, -1);
        true
    }

    /// Adds what `take` subtracted.
    pub fn give(&mut self, request: &ResourceRequest) {
        self.add(request, 1);
    }

    fn add(&mut self, request: &ResourceRequest, sign: i64) {
        self.cpu += sign * request.cpu;
        self.gpu += sign * request.gpu;
        for (name, requested) in &request.custom {
            if let Some((_, have)) = self.custom.iter_mut().find(|(own, _)| own == name) {
                *have += sign * requested;
            }
        }
    }

    /// The part of `request` that a host with these totals can never grant, as text; `None` if it can grant all of it.
    pub fn missing(&self, request: &ResourceRequest) -> Option<String> {
        let have = |name: &str| self.custom.iter().find(|(own, _)| own == name).map_or(0, |(_, total)| *total);
        let lines: Vec<String> = [("CPU", request.cpu, self.cpu), ("GPU", request.gpu, self.gpu)]
            .into_iter()
            .chain(request.custom.iter().map(|(name, requested)| (name.as_str(), *requested, have(name))))
            .filter(|(_, requested, total)| requested > total)
            .map(|(name, requested, total)| {
                format!("{} {name} requested, {} available", amount_of(requested), amount_of(total))
            })
            .collect();
        let fractional = request.gpu > UNIT && request.gpu % UNIT != 0;
        let odd = fractional.then(|| format!("{} GPU requested: above 1, only whole GPUs", amount_of(request.gpu)));
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
    fn missing_names_requested_and_available_amounts() {
        assert_eq!(totals().missing(&ResourceRequest::one_cpu()), None);
        let request = ResourceRequest {
            cpu: fixed_of(3.0),
            custom: vec![("Licence".to_string(), UNIT)],
            ..ResourceRequest::default()
        };
        let missing = totals().missing(&request).unwrap();
        assert!(
            missing.contains("3 CPU requested, 2 available") && missing.contains("1 Licence requested, 0 available"),
            "{missing}"
        );
    }

    #[test]
    fn request_of_one_and_a_half_gpus_is_never_met() {
        let request = ResourceRequest { gpu: fixed_of(1.5), ..ResourceRequest::default() };
        let many = Totals { gpu: fixed_of(4.0), ..totals() };
        assert!(many.missing(&request).unwrap().contains("whole GPUs"));
    }
}
