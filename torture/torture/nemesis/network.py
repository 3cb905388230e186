"""Faults of the network between one service process and one server, made in the proxy between them."""

from collections.abc import Callable
from typing import Literal

from torture.nemesis.kind import Ground, Heal, Strike
from torture.rig.proxy import Link

Hurt = Callable[[Ground, Link], None]


def _on_link(hurt: Hurt) -> Strike:
    async def strike(ground: Ground, target: str) -> Heal:
        instance, _, server = target.partition(":")
        link = ground.cluster.link(instance, "kafka" if server == "kafka" else "postgres")
        hurt(ground, link)

        async def heal() -> None:
            link.heal()

        return heal

    return strike


slow = _on_link(lambda ground, link: link.latency(ground.random.choice((0.02, 0.1, 0.2)), 0.05))
narrow = _on_link(lambda ground, link: link.bandwidth(ground.random.choice((4_000, 50_000))))
in_crumbs = _on_link(lambda ground, link: link.slice(ground.random.choice((1, 7, 100)), 0.002))
deaf = _on_link(lambda ground, link: link.blackhole("down"))
mute = _on_link(lambda ground, link: link.blackhole("up"))
cut_off = _on_link(lambda ground, link: link.blackhole("both"))
refused = _on_link(lambda ground, link: link.refuse())
reset = _on_link(lambda ground, link: link.reset())
reset_soon = _on_link(lambda ground, link: link.reset_after(ground.random.choice((1, 100, 2_000, 40_000))))
half_open = _on_link(lambda ground, link: link.half_open())
commit_lost = _on_link(lambda ground, link: link.cut_reply("commit", ground.random.randint(1, 5), when="before"))
commit_unheard = _on_link(lambda ground, link: link.cut_reply("commit", ground.random.randint(1, 5), when="after"))


def _on_next_produce(when: Literal["before", "after"]) -> Strike:
    """On all processes of a service: only the one whose relay leads produces anything, and nobody outside knows which that is."""

    async def strike(ground: Ground, target: str) -> Heal:
        nth = ground.random.randint(1, 3)
        links = [ground.cluster.link(name, "kafka") for name in ground.cluster.names if name.startswith(f"{target}-")]
        for link in links:
            link.cut_reply("produce", nth, when=when)

        async def heal() -> None:
            for link in links:
                link.heal()

        return heal

    return strike


produce_lost = _on_next_produce("before")
produce_unheard = _on_next_produce("after")
