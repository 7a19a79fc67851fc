//! Links to dashboards elsewhere, Grafana's above all: templates with placeholders.
//!
//! What always holds here: what is put in is encoded, so that no name of a guest becomes a part of the link of its own.

use jiff::Timestamp;

use super::{call::percent_encode, matching::Subject, template::Of};

/// What may stand in a link.
const PLACES: [&str; 8] = ["cluster", "kind", "vmid", "name", "node", "storage", "from", "to"];

/// Where the dashboards are.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Dashboards {
    /// For anything that has none of its own.
    pub any: Option<Box<str>>,
    /// Of guests.
    pub guest: Option<Box<str>>,
    /// Of nodes.
    pub node: Option<Box<str>>,
    /// Of storages.
    pub storage: Option<Box<str>>,
}

impl Dashboards {
    /// Whether a link can be used.
    ///
    /// # Errors
    /// What is wrong with it, and what is allowed.
    pub fn check(link: &str) -> Result<(), String> {
        if !link.starts_with("https://") && !link.starts_with("http://") {
            return Err("a link begins with https:// or http://".to_owned());
        }
        let mut rest = link;
        while let Some((_, behind)) = rest.split_once('{') {
            let (word, behind) = behind.split_once('}').ok_or("a `{` without its `}`")?;
            if !PLACES.contains(&word) {
                let all: Vec<String> = PLACES.iter().map(|place| format!("{{{place}}}")).collect();
                return Err(format!(
                    "`{{{word}}}` stands for nothing; allowed: {}",
                    all.join(", ")
                ));
            }
            rest = behind;
        }
        Ok(())
    }

    /// The link to the dashboard of an object over a time. What is not known of it stays empty.
    pub fn link(&self, of: Of, subject: &Subject, from: Timestamp, to: Timestamp) -> Option<String> {
        let own = match of {
            Of::Guest => &self.guest,
            Of::Node => &self.node,
            Of::Storage => &self.storage,
        };
        let template = own.as_deref().or(self.any.as_deref())?;
        let value = |word: &str| match word {
            "cluster" => subject.clusters.first().map(ToString::to_string),
            "kind" => subject.kind.map(|kind| kind.as_str().to_owned()),
            "vmid" => subject.vmid.map(|vmid| vmid.to_string()),
            "name" => subject.name.as_deref().map(str::to_owned),
            "node" => subject.node.as_deref().map(str::to_owned),
            "storage" => subject.storage.as_deref().map(str::to_owned),
            "from" => Some(from.as_millisecond().to_string()),
            _ => Some(to.as_millisecond().to_string()),
        };
        let mut link = String::with_capacity(template.len() + 32);
        let mut rest = template;
        while let Some((text, behind)) = rest.split_once('{') {
            let (word, behind) = behind.split_once('}')?;
            link.push_str(text);
            percent_encode(&value(word).unwrap_or_default(), &mut link);
            rest = behind;
        }
        link.push_str(rest);
        Some(link)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Vmid;

    #[test]
    fn what_is_put_in_is_encoded() {
        let boards = Dashboards {
            any: Some("https://g/d/any?n={node}".into()),
            guest: Some("https://g/d/x?var-vm={name}&var-id={vmid}&from={from}&to={to}".into()),
            ..Dashboards::default()
        };
        let subject = Subject {
            vmid: Some(Vmid(104)),
            name: Some("a&b c".into()),
            ..Subject::default()
        };
        let at = |second| Timestamp::from_second(second).unwrap();
        assert_eq!(
            boards.link(Of::Guest, &subject, at(1), at(2)).as_deref(),
            Some("https://g/d/x?var-vm=a%26b%20c&var-id=104&from=1000&to=2000")
        );
        assert_eq!(
            boards.link(Of::Node, &subject, at(1), at(2)).as_deref(),
            Some("https://g/d/any?n=")
        );
        assert_eq!(Dashboards::default().link(Of::Node, &subject, at(1), at(2)), None);
    }

    #[test]
    fn a_wrong_link_is_told() {
        assert!(Dashboards::check("https://g/d/{vmid}").is_ok());
        for (link, said) in [
            ("g/d", "begins with"),
            ("https://g/{vm}", "{vmid}"),
            ("https://g/{vmid", "without its"),
        ] {
            let error = Dashboards::check(link).unwrap_err();
            assert!(error.contains(said), "{error}");
        }
    }
}
