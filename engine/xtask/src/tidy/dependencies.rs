//! Holds what cargo says about the workspace against the table.

use std::collections::{BTreeSet, HashMap};

use super::Findings;
use super::table::{DEV_ONLY, RULES, Rule};
use crate::cargo::{Metadata, Node, Package};

/// Adds to `findings` every edge that the table does not have.
pub fn check(metadata: &Metadata, findings: &mut Findings) {
    let graph = Graph::new(metadata);
    for id in &metadata.workspace_members {
        let package = graph.packages[id.as_str()];
        match RULES.iter().find(|rule| rule.package == package.name) {
            Some(rule) => {
                direct(package, rule, findings);
                transitive(&graph, package, rule, findings);
            }
            None => findings.errors.push(format!(
                "{} is not in the dependency table (engine/xtask/src/tidy/table.rs)",
                package.name
            )),
        }
    }
}

fn direct(package: &Package, rule: &Rule, findings: &mut Findings) {
    for dependency in &package.dependencies {
        let name = dependency.name.as_str();
        let in_tests = dependency.kind.as_deref() == Some("dev");
        let ours = RULES.iter().any(|rule| rule.package == name);
        let allowed = rule.may.contains(&name) || (in_tests && name == DEV_ONLY);
        if ours && !allowed {
            findings
                .errors
                .push(format!("{} must not import {name}", package.name));
        }
    }
}

fn transitive(graph: &Graph, package: &Package, rule: &Rule, findings: &mut Findings) {
    for (name, through) in graph.closure(package) {
        if rule.never.contains(&name) {
            findings.errors.push(format!(
                "{} must not contain {name}, which comes in through {through}",
                package.name
            ));
        }
    }
}

struct Graph<'a> {
    packages: HashMap<&'a str, &'a Package>,
    nodes: HashMap<&'a str, &'a Node>,
}

impl<'a> Graph<'a> {
    fn new(metadata: &'a Metadata) -> Self {
        let nodes = metadata.resolve.iter().flat_map(|resolve| &resolve.nodes);
        Self {
            packages: metadata
                .packages
                .iter()
                .map(|package| (package.id.as_str(), package))
                .collect(),
            nodes: nodes.map(|node| (node.id.as_str(), node)).collect(),
        }
    }

    /// Everything linked into `package`, each with what asked for it first.
    /// Tests and build scripts may use what they like.
    fn closure(&self, package: &'a Package) -> Vec<(&'a str, &'a str)> {
        let mut seen = BTreeSet::from([package.id.as_str()]);
        let mut queue = vec![package.id.as_str()];
        let mut found = Vec::new();
        while let Some(id) = queue.pop() {
            let Some(node) = self.nodes.get(id) else {
                continue;
            };
            for dependency in &node.deps {
                let linked = dependency.dep_kinds.iter().any(|kind| kind.kind.is_none());
                if linked && seen.insert(&dependency.pkg) {
                    let name = self.packages[dependency.pkg.as_str()].name.as_str();
                    found.push((name, self.packages[id].name.as_str()));
                    queue.push(&dependency.pkg);
                }
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::{Findings, check};

    fn errors(dependency: &str, kind: &str) -> Vec<String> {
        let json = format!(
            r#"{{"workspace_members": ["s"], "target_directory": "t",
             "packages": [
               {{"id": "s", "name": "dhow-server", "dependencies": [{{"name": "{dependency}", "kind": {kind}}}]}},
               {{"id": "d", "name": "{dependency}", "dependencies": []}},
               {{"id": "c", "name": "clap", "dependencies": []}}],
             "resolve": {{"nodes": [
               {{"id": "s", "deps": [{{"pkg": "d", "dep_kinds": [{{"kind": {kind}}}]}}]}},
               {{"id": "d", "deps": [{{"pkg": "c", "dep_kinds": [{{"kind": null}}]}}]}}]}}}}"#
        );
        let mut findings = Findings::default();
        check(&serde_json::from_str(&json).unwrap(), &mut findings);
        findings.errors
    }

    #[test]
    fn an_edge_outside_the_table_is_named() {
        let errors = errors("dhow-sys", "null");
        assert_eq!(errors[0], "dhow-server must not import dhow-sys");
        assert_eq!(
            errors[1],
            "dhow-server must not contain clap, which comes in through dhow-sys"
        );
    }

    #[test]
    fn the_testkit_is_for_tests_only() {
        assert_eq!(errors("dhow-testkit", "\"dev\""), Vec::<String>::new());
        assert_eq!(
            errors("dhow-testkit", "null")[0],
            "dhow-server must not import dhow-testkit"
        );
    }
}
