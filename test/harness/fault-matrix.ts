import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

import type { FaultArguments } from './programs/faults.ts'
import { startProgram, type Program } from './program.ts'
import type { Scenario } from './scenario.ts'

export const faultSteps = ['received', 'effect', 'returned', 'marked', 'committed'] as const
/** Between two faults, in messages. */
const every = 12
const entities = 4

export interface FaultOutcome {
  /** How often each message had its effect, by its number. */
  readonly effects: readonly number[]
  /** Rows of the upserted table, and how often one was overwritten by an older version. */
  readonly states: readonly { readonly entity: string; readonly n: number }[]
  readonly stepsBack: number
  readonly duplicates: number
  readonly messages: number
}

/**
 * Sends messages, and has a worker killed by SIGKILL at each step between receipt and commit, one step a process; the last
 * process does the rest. `n` counts up for each of a few entities.
 */
export async function runFaultMatrix(
  { brokers, client, topic, group, send, until, watch }: Scenario,
  mode: FaultArguments['mode'],
): Promise<FaultOutcome> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-faults-'))
  const file = join(folder, 'effects.db')
  const database = new DatabaseSync(file)
  try {
    database.exec(`pragma journal_mode = wal;
      create table effects (entity text, n integer);
      create table states (entity text primary key, n integer, version integer not null, deleted_at text);
      create table millrace_inbox (consumer_group text, id text, at_ms integer, primary key (consumer_group, id));
      create table steps_back (entity text);
      create trigger watch after update on states when new.n < old.n begin
        insert into steps_back values (new.entity);
      end;`)
    const messages = (faultSteps.length + 1) * every
    await send(
      'orders',
      Array.from({ length: messages }, (_, index) => {
        const entity = `e${index % entities}`
        const n = Math.floor(index / entities)
        return { key: entity, value: JSON.stringify({ entity, n }) }
      }),
    )
    let duplicates = 0
    const given = { brokers, topic: topic('orders'), group: group(mode), file, mode }
    for (const [index, step] of faultSteps.entries()) {
      const offset = (index + 1) * every
      await using program = startProgram('faults', { ...given, dieAt: { step, offset } })
      watch(`the worker that dies at ${step}`, () => program.texts)
      const end = await program.ended
      if (end !== 'SIGKILL') throw new Error(`at ${step} it ended with ${end}`)
      duplicates += duplicatesOf(program)
    }
    await using last = startProgram('faults', given)
    watch('the last worker', () => last.texts)
    await until('everything is committed', async () => {
      const [found] = await client.admin.committedOffsets(group(mode))
      return found?.offset === messages && last.facts.some((fact) => 'state' in fact)
    })
    last.signal('SIGTERM')
    const code = await last.ended
    if (code !== 0) throw new Error(`the last worker ended with ${code}`)
    duplicates += duplicatesOf(last)
    const rows = database
      .prepare('select n, entity, count(*) as times from effects group by n, entity')
      .all()
    const count = database.prepare('select count(*) as count from steps_back').get()
    return {
      messages,
      effects: rows.map(({ times }) => Number(times)),
      states: database
        .prepare('select entity, n from states order by entity')
        .all()
        .map(({ entity, n }) => ({ entity: String(entity), n: Number(n) })),
      stepsBack: Number(count?.['count']),
      duplicates,
    }
  } finally {
    database.close()
    await rm(folder, { recursive: true, force: true })
  }
}

function duplicatesOf({ facts }: Program): number {
  return facts.filter((fact) => 'duplicate' in fact).length
}
