//! `get quotas`: the limits of the configuration against what the inventories tell.
//!
//! What always holds here: what a cluster that does not answer uses is not known, so nothing is printed as if it used
//! nothing.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::{
    cli::{
        args::Format,
        connect::{self, Link},
        exit::{Code, Failure},
        output::{Column, List, Show},
    },
    domain::{
        ClusterId, Guest,
        filter::Filter,
        quota::{Quota, Resource, Scope},
    },
};

const COLUMNS: &[Column] = &[
    Column::new("quota", "QUOTA", Show::Text),
    Column::wide("cluster", "CLUSTER", Show::Text),
    Column::new("of", "OF", Show::Text),
    Column::new("resource", "RESOURCE", Show::Text),
    Column::new("limit", "LIMIT", Show::Text),
    Column::new("used", "USED", Show::Text),
    Column::new("left", "LEFT", Show::Text),
];

/// Reads the inventories and prints.
pub(super) async fn run(
    links: &[Link],
    quotas: &[Quota],
    words: &[String],
    format: Format,
) -> Result<(), Failure> {
    if quotas.is_empty() {
        return Err(Failure::new(
            Code::NotFound,
            "there are no quotas; [quotas.NAME] in the configuration sets one, see `pvedeck config print`",
        ));
    }
    let reads = links.iter().map(|link| async move {
        let inventory = link.client.resources().await?;
        Ok((link.id.clone(), inventory.guests))
    });
    let mut guests: Vec<(ClusterId, Vec<Guest>)> = Vec::new();
    for answer in join_all(reads).await {
        guests.push(answer.map_err(|error| connect::failure(&error))?);
    }
    let rows = quotas
        .iter()
        .flat_map(|quota| rows(quota, &guests, format))
        .collect();
    let mut list = List {
        columns: COLUMNS,
        rows,
    };
    list.filter(&Filter::parse(&words.join(" ")));
    Ok(list.print(format)?)
}

/// One row for each limit. Programs get plain numbers, sizes in bytes.
fn rows(quota: &Quota, guests: &[(ClusterId, Vec<Guest>)], format: Format) -> Vec<Vec<Value>> {
    let all = guests
        .iter()
        .flat_map(|(cluster, guests)| guests.iter().map(move |guest| (cluster, guest)));
    let used = quota.used(all);
    let of = match &quota.scope {
        Scope::Pool(pool) => format!("pool {pool}"),
        Scope::Tag(tag) => format!("tag {tag}"),
    };
    quota
        .limits
        .iter()
        .map(|(resource, limit)| {
            let used = used.get(*resource);
            let show = |amount: u64| match (resource, format) {
                (Resource::Memory | Resource::Disk, Format::Table | Format::Wide) => {
                    json!(crate::domain::quantity::Bytes(amount).to_string())
                }
                _ => json!(amount),
            };
            vec![
                json!(quota.name),
                quota
                    .cluster
                    .as_ref()
                    .map_or(Value::Null, |cluster| json!(cluster)),
                json!(of),
                json!(resource.as_str()),
                show(*limit),
                show(used),
                show(limit.saturating_sub(used)),
            ]
        })
        .collect()
}
