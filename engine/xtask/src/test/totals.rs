//! Counting what test programs say of themselves. Pure.

/// The sums of what every test program printed of itself.
#[derive(Default, Debug, PartialEq)]
pub struct Totals {
    programs: u32,
    passed: u32,
    failed: u32,
    ignored: u32,
}

impl Totals {
    /// A line of a Rust test program.
    pub fn add(&mut self, line: &str) {
        let Some(counts) = line.strip_prefix("test result: ") else {
            return;
        };
        self.programs += 1;
        counts.split([';', '.']).for_each(|part| self.count(part));
    }

    /// A line of Vitest: `Tests  2 failed | 221 passed (223)`.
    pub fn add_vitest(&mut self, line: &str) {
        let Some(counts) = line.trim_start().strip_prefix("Tests ") else {
            return;
        };
        self.programs += 1;
        counts.split('|').for_each(|part| self.count(part));
    }

    /// A line of Playwright: `  16 passed (36.2s)`, each outcome on its own.
    pub fn add_playwright(&mut self, line: &str) {
        let counts = line.trim_start();
        if counts.starts_with(|c: char| c.is_ascii_digit()) {
            self.count(counts);
        }
    }

    /// `12 passed …`
    fn count(&mut self, part: &str) {
        let mut words = part.split_whitespace();
        let (Some(count), Some(what)) = (words.next(), words.next()) else {
            return;
        };
        let Ok(count) = count.parse::<u32>() else {
            return;
        };
        match what {
            "passed" => self.passed += count,
            // What passes only at times does not pass.
            "failed" | "flaky" | "interrupted" => self.failed += count,
            "ignored" | "skipped" | "todo" => self.ignored += count,
            _ => {}
        }
    }
}

impl std::fmt::Display for Totals {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            programs,
            passed,
            failed,
            ignored,
        } = self;
        write!(
            formatter,
            "tests: {passed} passed, {failed} failed, {ignored} ignored, in {programs} programs"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::Totals;

    #[test]
    fn the_pages_tests_are_counted_as_well() {
        let mut totals = Totals::default();
        totals.add_vitest(" Test Files  1 failed | 19 passed (20)");
        totals.add_vitest("      Tests  2 failed | 220 passed | 1 skipped (223)");
        totals.add_playwright("  ✓  1 [e2e] › trouble.spec.ts:12:1 › 3 passed");
        totals.add_playwright("  1 failed");
        totals.add_playwright("  15 passed (36.2s)");
        assert_eq!(
            totals,
            Totals {
                programs: 1,
                passed: 235,
                failed: 3,
                ignored: 1
            }
        );
    }

    #[test]
    fn totals_sum_what_the_programs_say() {
        let mut totals = Totals::default();
        totals.add("test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 3 filtered out; finished in 0.01s");
        totals.add("test tests::x ... ok");
        totals.add("test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.20s");
        assert_eq!(
            totals,
            Totals {
                programs: 2,
                passed: 15,
                failed: 2,
                ignored: 1
            }
        );
    }
}
