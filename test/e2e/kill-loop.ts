/**
 * Kills processes of the main job with SIGKILL at random moments, starts again what does not start itself, and checks that
 * every total is what it would have been.
 *
 *     node test/e2e/kill-loop.ts [kills] [seed]
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'

import {
  assertTotals,
  countAccessLog,
  facts,
  processesOf,
  startMainJob,
  type Report,
} from './main-job.ts'

const killsPerRound = 5
/** The command itself, two sites, the feeder. */
const processCount = 4
const longestWaitMs = 3_000

if (import.meta.main) {
  const [kills = '20', seed = String(Date.now() % 1_000_000)] = process.argv.slice(2)
  await killLoop(Number(kills), Number(seed), console.log)
}

/** @throws an assertion when a total differs; the seed in the printed lines replays the choices */
export async function killLoop(
  kills: number,
  seed: number,
  say: (line: string) => void,
): Promise<void> {
  const random = randomFrom(seed)
  say(`${kills} kills, seed ${seed}`)
  for (let done = 0, round = 1; done < kills; round++) {
    const folder = await mkdtemp(join(tmpdir(), 'millrace-kills-'))
    try {
      const planned = Math.min(killsPerRound, kills - done)
      const { report, killed } = await runWithKills(folder, planned, random, (what) =>
        say(`  ${++done}: killed ${what}`),
      )
      done += planned - killed
      assertTotals(report)
      await assertLogs(folder)
      say(
        `round ${round}: ${report.counted} requests counted, ${report.replay.replayed} reads replayed, all totals right`,
      )
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  }
}

async function runWithKills(
  folder: string,
  planned: number,
  random: () => number,
  tell: (what: string) => void,
): Promise<{ readonly report: Report; readonly killed: number }> {
  let killed = 0
  for (;;) {
    const job = startMainJob(folder)
    while (killed < planned) {
      const report = await Promise.race([job.report, wait(random() * longestWaitMs)])
      // Done before all kills were: nothing is left to kill in this round.
      if (report) return { report, killed }
      const victims = await processesOf(job)
      // All of them or none: else the first to start is killed most.
      if (victims.length < processCount) continue
      const victim = victims[Math.floor(random() * victims.length)]
      if (!victim) continue
      try {
        process.kill(victim.pid, 'SIGKILL')
      } catch {
        // It ended between the look and the kill.
        continue
      }
      killed += 1
      tell(victim.name)
      if (victim.pid === job.process.pid) break
    }
    const report = await job.report
    if (report) return { report, killed }
  }
}

/** The sites' own logs agree, request by request. */
async function assertLogs(folder: string): Promise<void> {
  const site = await countAccessLog(join(folder, 'site-access.log'))
  const staging = await countAccessLog(join(folder, 'staging-access.log'))
  const sizes = { site: site.ids.size, staging: staging.ids.size }
  if (sizes.site !== facts.requests || sizes.staging !== facts.reads)
    throw new Error(`the sites' logs hold ${JSON.stringify(sizes)} distinct requests`)
}

/** Mulberry32: small, and the same everywhere. */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
