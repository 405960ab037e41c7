"""Parts of a network: what it sees, how it starts, its activation, and Adam against PyTorch's."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from support.independent.slow_neural import one_hot
from support.neural import CLOCK, idqn, ippo, random_samples, tender, terms
from support.tenders import FULL
from support.toy_markets.errand import Errand

from tacit.agents.batch.encoding import Encoding
from tacit.agents.neural.arrays import CORRECTION1, EPSILON, ROOT_CORRECTION2
from tacit.agents.neural.config import IppoConfig
from tacit.agents.neural.network import Adam, Network, orthogonal
from tacit.agents.neural.ppo import Ippo
from tacit.agents.neural.ppo_torch import TorchActorCritic
from tacit.agents.neural.torch_network import TorchNetwork
from tacit.envs.jit.loops import compiled
from tacit.envs.market import Role
from tacit.envs.registry import SHIPPED, make_market

BUYER = tender().seat("buyer_0")
CONFIGS = {
    "ad_auction": {"publisher": True, "bids": 4, "observe": "bids"},
    "procurement": FULL | {"suppliers": 1, "cost": 0.1},
    "cloud_bandwidth": {"tenants": 2},
}
ROLES = [
    pytest.param(role, id=f"{market.name}-{k}-{role.name}")
    for name in SHIPPED
    for k, config in enumerate([{}, CONFIGS[name]] if name in CONFIGS else [{}])
    for market in [make_market(name, config)]
    for role in market.roles
] + [pytest.param(role, id=f"errand-{role.name}") for role in Errand().roles]


@pytest.mark.parametrize("role", ROLES)
def test_digits_are_the_one_hot_row_of_every_observation(role: Role):
    encoding = Encoding(role, "digits")
    digits = encoding.digits(np.arange(role.observations))
    found = np.zeros((role.observations, encoding.width + 1))
    np.add.at(found, (np.arange(role.observations)[:, None], digits), 1.0)
    np.testing.assert_array_equal(found[:, :-1], one_hot(role, "digits"))


def test_an_observation_as_a_whole_is_one_digit():
    role = BUYER.role
    encoding = Encoding(role, "observation")
    assert (encoding.width, encoding.ones) == (role.observations, 1)
    seen = np.array([3, 0, role.observations - 1])
    np.testing.assert_array_equal(encoding.digits(seen)[:, 0], seen)


# --- the start ------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(5, 3), (3, 5), (4, 4)])
def test_initial_weights_are_orthogonal(shape):
    """Rows or columns, whichever are fewer, have length `gain` and are at right angles."""
    w = orthogonal(shape, 2.0, np.uint64(7))
    square = w.T @ w if shape[0] >= shape[1] else w @ w.T
    np.testing.assert_allclose(square, 4.0 * np.eye(min(shape)), atol=1e-12)
    assert not np.allclose(w, orthogonal(shape, 2.0, np.uint64(8)))


def test_orthogonal_draws_are_normal():
    """A matrix of one column is a direction: its entries are as likely positive as not."""
    w = np.array([orthogonal((2, 1), 1.0, np.uint64(k))[:, 0] for k in range(2000)])
    np.testing.assert_allclose((w > 0).mean(axis=0), 0.5, atol=0.05)
    np.testing.assert_allclose(w.T @ w / len(w), np.eye(2) / 2, atol=0.05)


def test_a_new_policy_is_nearly_uniform_and_without_layers_exactly():
    legal = (ippo(BUYER).table() > 0).sum(axis=1)
    np.testing.assert_array_equal(legal, BUYER.role.legal[:, 1])
    uniform = (ippo(BUYER).table() > 0) / legal[:, None]
    np.testing.assert_allclose(ippo(BUYER).table(), uniform, atol=0.02)
    np.testing.assert_array_equal(ippo(BUYER, hidden=()).table(), uniform)


def test_seats_seeds_and_networks_start_apart():
    suppliers = [s for s in tender().seats if s.role.name == "supplier"]
    starts = [ippo(seat, seed=seed).state() for seat in suppliers for seed in (0, 1)]
    flat = [s[f"actor_critic.{net}.parameters"] for s in starts for net in ("actor", "critic")]
    for k, one in enumerate(flat):
        for other in flat[:k]:
            size = min(len(one), len(other)) // 2
            assert not np.array_equal(one[:size], other[:size])


@pytest.mark.parametrize("engine", ["compiled", "torch"])
def test_what_is_not_seen_weighs_nothing(engine, luck):
    """The row of weights behind the last digit is zero at first and stays zero."""
    own, other = ippo(BUYER, engine=engine), idqn(BUYER, engine=engine)
    for _ in range(3):
        own.learn(random_samples(BUYER, luck), CLOCK)
        other.learn(random_samples(BUYER, luck), CLOCK)
    start = own.encoding.width * 16
    for network in (*own.actor_critic.networks, other.online):
        assert not network.parameters[start : start + 16].any()
        assert network.parameters[start - 16 : start].any()


# --- arithmetic -----------------------------------------------------------------------------------


def network(activation: str, precision: str, kind=Network) -> Network:
    config = IppoConfig(hidden=(16, 8), activation=activation, precision=precision)
    return kind(Encoding(BUYER.role, "digits"), 3, config, np.uint64(1), 1.0)


def test_tanh_on_the_whole_line():
    """Through a network of one hidden unit whose input is its bias; with inf at both ends."""
    config = IppoConfig(hidden=(1,), precision="float64")
    one = Network(Encoding(BUYER.role, "digits"), 1, config, np.uint64(1), 1.0)
    worst = 0.0
    for x in np.append(np.linspace(-30, 30, 2001), [0.0, -np.inf, np.inf, 1e-300]):
        one.parameters[:] = 0.0
        one.parameters[one.layers[0, 3]], one.parameters[one.layers[1, 2]] = x, 1.0
        worst = max(worst, abs(float(one.forward(one.encoding.digits(np.zeros(1, np.int64)))[0, 0])
                               - np.tanh(x)))  # fmt: skip
    assert worst < 7e-7


@pytest.mark.parametrize("activation", ["tanh", "relu"])
@pytest.mark.parametrize(("precision", "bound"), [("float32", 1e-5), ("float64", 1e-12)])
def test_the_compiled_network_is_pytorch_s(activation, precision, bound, luck):
    """Outputs, and gradients of a random weighing of them."""
    own, other = network(activation, precision), network(activation, precision, TorchNetwork)
    digits = own.encoding.digits(luck.integers(0, BUYER.role.observations, 11))
    out = own.forward(digits)
    weighing = luck.standard_normal(out.shape).astype(precision)
    np.testing.assert_allclose(out, other.forward(digits), atol=bound)
    own.output_gradients(out.shape)[:] = weighing
    (other(digits) * torch.from_numpy(weighing)).sum().backward()
    known = torch.cat([p.grad.reshape(-1) for p in other.module.parameters()]).numpy()
    unseen = slice(own.encoding.width * 16, (own.encoding.width + 1) * 16)
    known[unseen] = 0.0
    np.testing.assert_allclose(own.backward(), known, atol=10 * bound)


@pytest.mark.parametrize(("precision", "bound"), [("float32", 2e-5), ("float64", 1e-14)])
@pytest.mark.parametrize("largest", [0.0, 0.5, 100.0])
def test_adam_is_pytorch_s(precision, bound, largest, luck):
    config = IppoConfig(max_gradient=largest, precision=precision, adam_betas=(0.8, 0.99))
    start = luck.standard_normal(50)
    own = Adam(start.astype(precision), config)
    p = torch.from_numpy(start.astype(precision)).clone().requires_grad_()
    adam = torch.optim.Adam([p], 0.1, config.adam_betas, config.adam_epsilon)
    for k in range(30):
        gradient = luck.standard_normal(50) * 10.0 ** -(k % 5)
        p.grad = torch.from_numpy(gradient.astype(precision))
        own.step(gradient.astype(precision), 0.1)
        if largest:
            torch.nn.utils.clip_grad_norm_([p], largest)
        adam.step()
    assert np.abs(own.parameters - start).max() > 0.5
    np.testing.assert_allclose(own.parameters, p.detach().numpy(), atol=bound, rtol=0)


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_moments_of_a_weight_that_is_no_longer_used_end_at_zero(precision, luck):
    """Neither moment lingers where processors are slow, and no parameter moves otherwise."""
    config = IppoConfig(max_gradient=0, precision=precision, adam_betas=(0.9, 0.99))
    own = Adam(luck.standard_normal(20).astype(precision), config)
    real, (beta1, beta2) = own.parameters.dtype.type, config.adam_betas
    gradient, p = luck.standard_normal(20).astype(precision), own.parameters.copy()
    first, second = np.zeros_like(p), np.zeros_like(p)
    for _ in range(80_000 if precision == "float64" else 10_000):
        settings = own.next_settings(1e-3)[0]
        own.steps -= 1
        own.step(gradient, 1e-3)
        first = real(beta1) * first + (real(1) - real(beta1)) * gradient
        second = real(beta2) * second + (real(1) - real(beta2)) * gradient * gradient
        rate, root = settings[0] / settings[CORRECTION1], real(1) / settings[ROOT_CORRECTION2]
        p -= rate * first / (np.sqrt(second) * root + settings[EPSILON])
        gradient = np.zeros_like(gradient)  # of the first step only
        if own.steps == 1:
            np.testing.assert_array_equal(own.first_moment, first)
    assert (own.parameters == p).all()
    assert not own.first_moment.any()
    assert not own.second_moment.any()
    assert 0 < np.abs(first).max() < np.finfo(precision).tiny  # these linger


# --- any module -----------------------------------------------------------------------------------


class Embedded(torch.nn.Module):
    """A module of a user's own, with a parameter that it does not use, and before others."""

    def __init__(self, encoding: Encoding, outputs: int) -> None:
        super().__init__()
        self.unused = torch.nn.Parameter(torch.full((3,), 7.0))
        self.embed = torch.nn.Embedding(encoding.width + 1, 8)
        self.head = torch.nn.Linear(8, outputs)

    def forward(self, digits: torch.Tensor) -> torch.Tensor:
        return self.head(torch.relu(self.embed(digits).mean(1)))


def test_a_module_of_one_s_own_learns(luck):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        learner = Ippo(IppoConfig(engine="torch"), BUYER, terms(1.0), 0,
                       lambda *given: TorchActorCritic(*given, build=Embedded))  # fmt: skip
    actor = learner.actor_critic.actor
    start = actor.parameters.copy()
    learner.learn(random_samples(BUYER, luck), CLOCK)
    moved = actor.parameters != start
    assert not moved[:3].any()  # not used: not moved
    assert moved[-BUYER.role.actions : -1].all()  # biases of its actions; the last is to wait
    for p in actor.module.parameters():  # the flat array is what the module computes with
        assert np.shares_memory(p.detach().numpy(), actor.parameters)


@pytest.mark.parametrize("engine", ["compiled", "torch"])
def test_an_action_that_became_impossible_does_no_harm(engine, luck):
    """Its probability is below what float32 holds; nobody took it."""
    learner = ippo(BUYER, hidden=(), encoding="observation", engine=engine)
    samples = random_samples(BUYER, luck)
    first = learner.seat.role.legal[samples.observation, 0]
    samples.action[:] = first
    actor = learner.actor_critic.networks[0]
    actor.parameters[: -BUYER.role.actions].reshape(-1, BUYER.role.actions)[
        samples.observation.ravel(), first.ravel()
    ] = 800.0
    learner._write_policy()
    assert (learner.table()[samples.observation[0, 0]] == 0.0).sum() == BUYER.role.actions - 1
    learner.learn(samples, CLOCK)
    assert np.isfinite(actor.parameters).all()


@pytest.mark.parametrize("spread", [1e-3, 1.0, 30.0, 2000.0])
def test_softmax_is_numpy_s(spread, luck):
    """From nearly equal logits to some beside which all other probabilities underflow."""
    logits, legal = spread * luck.standard_normal((500, 7)), np.array([[0, 7]] * 500, np.int32)
    table = np.empty_like(logits)
    compiled("tacit.agents.neural.ppo_loop").softmax(logits, legal, table)
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    known = powers / powers.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(table, known, rtol=2e-14, atol=1e-303)
