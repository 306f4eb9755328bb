#!/bin/bash
# Runs before an executor's pod ends, when spark.decommission.enabled is set (Spark names this path): tells the executor to hand its
# blocks over, and holds the pod until it has done so and left, within the pod's grace period.
set -euo pipefail

executor=$(pidof -s java) || exit 0
kill -s PWR "$executor"
tail --pid="$executor" -f /dev/null
