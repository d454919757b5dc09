"""The Python half of ci/bench-redis: what channels_redis needs for the same work, and the table of both."""
import asyncio
import glob
import json
import os
import statistics
import sys
import time

MEMBERS = 1000
MESSAGE = {"type": "chat_message", "message": "x" * 100}


async def measure(make, seconds=3.0):
    """Messages a second and CPU seconds a message: one group_send at a time, until all members have it."""
    layer = make(hosts=[os.environ["REDIS_URL"]], prefix="pybench")
    got = 0
    everybody = asyncio.Event()

    async def member(channel):
        nonlocal got
        while True:
            await layer.receive(channel)
            got += 1
            if got == MEMBERS:
                everybody.set()

    channels = [await layer.new_channel() for _ in range(MEMBERS)]
    for channel in channels:
        await layer.group_add("room", channel)
    tasks = [asyncio.ensure_future(member(channel)) for channel in channels]
    await asyncio.sleep(0.5)

    async def one():
        nonlocal got
        got = 0
        everybody.clear()
        await layer.group_send("room", dict(MESSAGE))
        await everybody.wait()

    await one()
    count, start, cpu = 0, time.perf_counter(), time.process_time()
    while time.perf_counter() - start < seconds:
        await one()
        count += 1
    elapsed, cpu = time.perf_counter() - start, time.process_time() - cpu
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return {"per_second": count / elapsed, "cpu": cpu / count}


def main():
    if sys.argv[1] == "measure":
        from channels_redis.core import RedisChannelLayer
        from channels_redis.pubsub import RedisPubSubChannelLayer

        print(json.dumps({
            "core": asyncio.new_event_loop().run_until_complete(measure(RedisChannelLayer)),
            "pubsub": asyncio.new_event_loop().run_until_complete(measure(RedisPubSubChannelLayer)),
        }))
        return
    rows = {"core": {}, "core, per node": {}, "pubsub": {}}
    named = {"GroupSendCore/": "core", "GroupSendCorePerNode/": "core, per node", "GroupSendPubSub/": "pubsub"}
    for file in sorted(glob.glob(sys.argv[2] + "/ours.*.json")):
        for run in json.load(open(file))["benchmarks"]:
            row = rows[next(row for name, row in named.items() if run["name"].startswith(name))]
            row.setdefault("ours", []).append((run["items_per_second"], run["cpu_time"] / 1e9))
    for file in sorted(glob.glob(sys.argv[2] + "/python.*.json")):
        both = json.load(open(file))
        for name, row in rows.items():
            one = both["pubsub" if name == "pubsub" else "core"]
            row.setdefault("python", []).append((one["per_second"], one["cpu"]))
    print(f"group_send to {MEMBERS} members   messages/s: ours  Python    CPU/message: ours     Python   ratio")
    for name, row in rows.items():
        ours = [statistics.median(column) for column in zip(*row["ours"])]
        python = [statistics.median(column) for column in zip(*row["python"])]
        print(f"{name:<26} {ours[0]:>18,.0f} {python[0]:>7,.0f} {ours[1] * 1e6:>15,.0f} us {python[1] * 1e6:>7,.0f} us"
              f" {python[1] / ours[1]:>6.1f}x")


main()
