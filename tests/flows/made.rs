//! The two faces of the made estate agree: what the client makes of its answer is what tests put into the store.

use pvedeck::clients::pve::request;

use crate::support::estate;

#[test]
fn the_answer_decodes_to_the_inventory() {
    let decoded = request::resources()
        .decode(estate::resources_json(300).as_bytes())
        .unwrap();
    let made = estate::inventory(300);
    assert_eq!(decoded.rejected, made.rejected);
    assert_eq!(decoded.nodes, made.nodes);
    assert_eq!(decoded.guests, made.guests);
    assert_eq!(decoded.storages, made.storages);
}
