//! The resources of a bundle of a placement group on its rank, and which of them are free.

use crate::scheduling::UNIT;

/// The resources of a bundle: what is free of it, or what a task, an actor, or the bundle of its host has. Kinds of
/// custom resources are identified by their index in the host's totals.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BundleShare {
    /// CPUs; below zero while tasks run that had yielded their CPUs and then took them again after the bundle was
    /// removed.
    pub cpu: i64,
    /// GPU and share of it.
    pub gpus: Vec<(u32, i64)>,
    /// Kind and amount.
    pub custom: Vec<(usize, i64)>,
}

impl BundleShare {
    /// Takes CPUs, a number of GPUs and amounts of kinds; `None`, with nothing taken, if they are not all free.
    pub fn take(&mut self, cpu: i64, gpu: i64, custom: &[(usize, i64)]) -> Option<BundleShare> {
        if self.cpu < cpu || custom.iter().any(|(kind, amount)| self.free_of(*kind) < *amount) {
            return None;
        }
        let gpus = self.gpus_for(gpu)?;
        let share = BundleShare { cpu, gpus, custom: custom.to_vec() };
        self.add(&share, -1);
        Some(share)
    }

    /// Returns what was taken.
    pub fn give(&mut self, share: &BundleShare) {
        self.add(share, 1);
    }

    /// How many times a request could be taken now.
    pub fn fits(&self, cpu: i64, gpu: i64, custom: &[(usize, i64)]) -> usize {
        let mut left = self.clone();
        // A bundle holds few: counting is short. An empty request fits without limit.
        if cpu == 0 && gpu == 0 && custom.iter().all(|(_, amount)| *amount == 0) {
            return usize::MAX;
        }
        (0..FITS_MAX).take_while(|_| left.take(cpu, gpu, custom).is_some()).count()
    }

    /// Removes and returns what is free: the bundle is removed. Debts stay.
    pub fn drain(&mut self) -> BundleShare {
        let share = BundleShare {
            cpu: self.cpu.max(0),
            gpus: std::mem::take(&mut self.gpus),
            custom: std::mem::take(&mut self.custom),
        };
        self.cpu -= share.cpu;
        share
    }

    fn free_of(&self, kind: usize) -> i64 {
        self.custom.iter().find(|(own, _)| *own == kind).map_or(0, |(_, amount)| *amount)
    }

    /// Whole GPUs, or a share of the fullest GPU that has it free.
    fn gpus_for(&self, amount: i64) -> Option<Vec<(u32, i64)>> {
        let (each, count) =
            if amount < UNIT { (amount, usize::from(amount > 0)) } else { (UNIT, (amount / UNIT) as usize) };
        let mut fit: Vec<(u32, i64)> = self.gpus.iter().copied().filter(|(_, free)| *free >= each).collect();
        fit.sort_by_key(|(_, free)| *free);
        let found: Vec<(u32, i64)> = fit.into_iter().take(count).map(|(gpu, _)| (gpu, each)).collect();
        (found.len() == count).then_some(found)
    }

    fn add(&mut self, share: &BundleShare, sign: i64) {
        self.cpu += sign * share.cpu;
        add(&mut self.gpus, &share.gpus, sign);
        add(&mut self.custom, &share.custom, sign);
    }
}

fn add<K: Copy + PartialEq>(free: &mut Vec<(K, i64)>, more: &[(K, i64)], sign: i64) {
    for (kind, amount) in more {
        match free.iter_mut().find(|(own, _)| own == kind) {
            Some((_, free)) => *free += sign * amount,
            None => free.push((*kind, sign * amount)),
        }
    }
}

/// The limit of the count.
const FITS_MAX: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn bundle() -> BundleShare {
        BundleShare { cpu: 2 * UNIT, gpus: vec![(3, UNIT), (5, UNIT / 2)], custom: vec![(1, UNIT)] }
    }

    #[test]
    fn take_then_give_restores_the_bundle() {
        let mut bundle = bundle();
        let before = bundle.clone();
        let whole = bundle.take(UNIT, UNIT, &[]).unwrap();
        assert_eq!(whole.gpus, [(3, UNIT)], "half a GPU is not a whole one");
        let half = bundle.take(UNIT, UNIT / 2, &[(1, UNIT)]).unwrap();
        assert_eq!(half.gpus, [(5, UNIT / 2)]);
        assert_eq!(bundle.take(1, 0, &[]), None);
        assert_eq!(bundle.take(0, 1, &[]), None);
        assert_eq!(bundle.take(0, 0, &[(1, 1)]), None);
        bundle.give(&half);
        bundle.give(&whole);
        assert_eq!(bundle, before);
    }

    #[test]
    fn take_beyond_free_takes_nothing() {
        let mut bundle = bundle();
        let before = bundle.clone();
        assert_eq!(bundle.take(UNIT, 2 * UNIT, &[(1, UNIT)]), None);
        assert_eq!(bundle.take(UNIT, 0, &[(7, 1)]), None, "a kind that the bundle has nothing of");
        assert_eq!(bundle, before);
        assert_eq!((bundle.fits(UNIT, 0, &[]), bundle.fits(0, UNIT / 2, &[])), (2, 3));
        assert_eq!(bundle.fits(0, 0, &[]), usize::MAX);
    }

    #[test]
    fn removed_bundle_returns_free_resources_and_keeps_its_debts() {
        let mut bundle = bundle();
        bundle.cpu = -UNIT;
        let share = bundle.drain();
        assert_eq!((share.cpu, share.gpus.len(), bundle.cpu), (0, 2, -UNIT));
        bundle.give(&BundleShare { cpu: 3 * UNIT, ..BundleShare::default() });
        assert_eq!(bundle.drain().cpu, 2 * UNIT);
        assert_eq!(bundle.drain(), BundleShare::default());
    }
}
