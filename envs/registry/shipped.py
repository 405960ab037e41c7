"""The list of markets, a line for each that ships; a process adds those of packages and users."""

from __future__ import annotations

# name -> module:class
MARKETS: dict[str, str] = {
    "ad_auction": "tacit.envs.ad_auction:AdAuction",
    "procurement": "tacit.envs.procurement:Procurement",
    "cloud_bandwidth": "tacit.envs.cloud_bandwidth:CloudBandwidth",
    "quantity_competition": "tacit.envs.quantity_competition:QuantityCompetition",
    "cheap_talk": "tacit.envs.cheap_talk:CheapTalk",
    "hiring": "tacit.envs.one_file.hiring:Hiring",
    "delivery_slots": "tacit.envs.one_file.delivery_slots:DeliverySlots",
}
SHIPPED = tuple(MARKETS)
