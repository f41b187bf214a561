"""What 100,000 steps can cost at worst: `python -m bench.contracts_worst [--found 300]`.

Prints CPU and memory of programs made to be bad, and of the worst that a search finds. A figure to watch, no goal.
"""

import argparse
import random

from tests.contracts.growth import Measured, measure_all
from tests.contracts.world import STEPS


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--found", type=int, default=300, help="programs that the search tries")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**40))
    options = parser.parse_args()
    print(f"seed {options.seed}")
    measured = list(measure_all(options.found, options.seed, "seconds"))
    print(f"{'CPU ms':>8}  {'ms per 100,000 steps':>20}  {'MiB':>5}  {'steps':>7}  outcome")
    for each in sorted(measured, key=_per_step, reverse=True):
        milliseconds = _per_step(each) * STEPS * 1000
        print(
            f"{each.seconds * 1000:8.1f}  {milliseconds:20.1f}  {each.bytes / 2**20:5.1f}  {each.steps:7}  "
            f"{each.code}: {each.name}"
        )
    print(f"\n{measured[-1].source}")


def _per_step(measured: Measured) -> float:
    return measured.seconds / max(measured.steps, 1)


if __name__ == "__main__":
    main()
