//! What a bundle of a placement group holds on its rank, and what of it is free.

use crate::scheduling::UNIT;

/// The account of one bundle: what is free of it. Kinds of custom resources are known by their place in the host's totals.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// CPUs; below zero while tasks run on that had given theirs back and found the bundle removed.
    pub cpu: i64,
    /// GPU and free share of it.
    pub gpus: Vec<(u32, i64)>,
    /// Kind and free amount.
    pub custom: Vec<(usize, i64)>,
}

/// What a task or actor has of a bundle, or a bundle of its host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Share {
    /// CPUs.
    pub cpu: i64,
    /// GPU and share of it.
    pub gpus: Vec<(u32, i64)>,
    /// Kind and amount.
    pub custom: Vec<(usize, i64)>,
}

impl Account {
    /// Everything of `share` is free.
    pub fn of(share: &Share) -> Account {
        let mut account = Account::default();
        account.give(share);
        account
    }

    /// Takes CPUs, a number of GPUs and amounts of kinds; `None`, with nothing taken, where they are not all free.
    pub fn take(&mut self, cpu: i64, gpu: i64, custom: &[(usize, i64)]) -> Option<Share> {
        if self.cpu < cpu || custom.iter().any(|(kind, amount)| self.free_of(*kind) < *amount) {
            return None;
        }
        let gpus = self.gpus_for(gpu)?;
        let share = Share { cpu, gpus, custom: custom.to_vec() };
        self.add(&share, -1);
        Some(share)
    }

    /// Gives back what was taken.
    pub fn give(&mut self, share: &Share) {
        self.add(share, 1);
    }

    /// How many times a request could be taken now.
    pub fn fits(&self, cpu: i64, gpu: i64, custom: &[(usize, i64)]) -> usize {
        let mut left = self.clone();
        // A bundle holds few: counting is short. What asks for nothing fits as often as one likes.
        if cpu == 0 && gpu == 0 && custom.iter().all(|(_, amount)| *amount == 0) {
            return usize::MAX;
        }
        (0..FITS_MAX).take_while(|_| left.take(cpu, gpu, custom).is_some()).count()
    }

    /// What is free and is to go elsewhere: the bundle is removed. Debts stay.
    pub fn empty(&mut self) -> Share {
        let share = Share {
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

    /// Whole GPUs, or a share of the fullest that has it.
    fn gpus_for(&self, amount: i64) -> Option<Vec<(u32, i64)>> {
        let (each, count) =
            if amount < UNIT { (amount, usize::from(amount > 0)) } else { (UNIT, (amount / UNIT) as usize) };
        let mut fit: Vec<(u32, i64)> = self.gpus.iter().copied().filter(|(_, free)| *free >= each).collect();
        fit.sort_by_key(|(_, free)| *free);
        let found: Vec<(u32, i64)> = fit.into_iter().take(count).map(|(gpu, _)| (gpu, each)).collect();
        (found.len() == count).then_some(found)
    }

    fn add(&mut self, share: &Share, sign: i64) {
        self.cpu += sign * share.cpu;
        for (gpu, amount) in &share.gpus {
            match self.gpus.iter_mut().find(|(own, _)| own == gpu) {
                Some((_, free)) => *free += sign * amount,
                None => self.gpus.push((*gpu, sign * amount)),
            }
        }
        for (kind, amount) in &share.custom {
            match self.custom.iter_mut().find(|(own, _)| own == kind) {
                Some((_, free)) => *free += sign * amount,
                None => self.custom.push((*kind, sign * amount)),
            }
        }
    }
}

/// Up to how many is counted.
const FITS_MAX: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn account() -> Account {
        Account::of(&Share { cpu: 2 * UNIT, gpus: vec![(3, UNIT), (5, UNIT / 2)], custom: vec![(1, UNIT)] })
    }

    #[test]
    fn what_is_taken_and_given_back_adds_up() {
        let mut account = account();
        let before = account.clone();
        let whole = account.take(UNIT, UNIT, &[]).unwrap();
        assert_eq!(whole.gpus, [(3, UNIT)], "half a GPU is no whole one");
        let half = account.take(UNIT, UNIT / 2, &[(1, UNIT)]).unwrap();
        assert_eq!(half.gpus, [(5, UNIT / 2)]);
        assert_eq!(account.take(1, 0, &[]), None);
        assert_eq!(account.take(0, 1, &[]), None);
        assert_eq!(account.take(0, 0, &[(1, 1)]), None);
        account.give(&half);
        account.give(&whole);
        assert_eq!(account, before);
    }

    #[test]
    fn what_is_not_all_there_is_not_taken_at_all() {
        let mut account = account();
        let before = account.clone();
        assert_eq!(account.take(UNIT, 2 * UNIT, &[(1, UNIT)]), None);
        assert_eq!(account.take(UNIT, 0, &[(7, 1)]), None, "a kind that the bundle has nothing of");
        assert_eq!(account, before);
        assert_eq!((account.fits(UNIT, 0, &[]), account.fits(0, UNIT / 2, &[])), (2, 3));
        assert_eq!(account.fits(0, 0, &[]), usize::MAX);
    }

    #[test]
    fn a_removed_bundle_gives_what_is_free_and_keeps_its_debts() {
        let mut account = account();
        account.cpu = -UNIT;
        let share = account.empty();
        assert_eq!((share.cpu, share.gpus.len(), account.cpu), (0, 2, -UNIT));
        account.give(&Share { cpu: 3 * UNIT, ..Share::default() });
        assert_eq!(account.empty().cpu, 2 * UNIT);
        assert_eq!(account.empty(), Share::default());
    }
}
