import { failure, isFailure } from '../../errors/index.ts'
import { nearest, sleep, systemClock } from '../../kit/index.ts'
import { messagesIn, partitionRanges } from '../cluster-facts.ts'
import type { CommandContext } from '../command.ts'
import { confirmDestruction } from '../confirm.ts'
import { createTopics } from './apply-differences.ts'
import { openDeclared, type DeclaredCluster } from './open-declared.ts'

export interface ResetOptions {
  /** On the wire; empty for all that are declared. */
  readonly names: readonly string[]
  readonly isConfirmed: boolean
  readonly isDryRun: boolean
}

interface Reset {
  readonly topic: string
  /** Undefined when it is not there yet. */
  readonly messages: number | undefined
}

/** @throws MR_CLI_TOPIC_UNKNOWN for a name that is not declared, MR_CLI_CONFIRMATION_MISSING */
export async function resetDeclared(
  context: CommandContext,
  { names, isConfirmed, isDryRun }: ResetOptions,
): Promise<void> {
  const { print } = context
  await using declared = await openDeclared(context)
  const all = declared.clusters.flatMap(({ wanted }) => wanted.map(({ name }) => name))
  for (const name of names)
    if (!all.includes(name))
      throw failure('MR_CLI_TOPIC_UNKNOWN', { topic: name, near: nearest(name, all) })
  const isMeant = (name: string): boolean => names.length === 0 || names.includes(name)

  const resets: Reset[] = []
  for (const cluster of declared.clusters) resets.push(...(await losses(context, cluster, isMeant)))
  const text = (verb: string): string =>
    resets
      .map(({ topic, messages }) =>
        messages === undefined
          ? `${topic}: is not there yet`
          : `${topic}: ${messages} messages ${verb}`,
      )
      .join('\n')
  if (isDryRun) {
    await print.document({ executed: false, topics: resets }, () => text('would be lost'))
    return
  }
  const lost = resets.filter(({ messages }) => messages !== undefined)
  if (lost.length > 0)
    await confirmDestruction({
      what: lost
        .map(({ topic, messages }) => `resetting ${topic} with ${messages} messages`)
        .join(', '),
      names: lost.map(({ topic }) => topic),
      isConfirmed,
      print,
    })
  for (const cluster of declared.clusters) await resetOn(context.signal, cluster, isMeant)
  await print.document({ executed: true, topics: resets }, () => text('deleted, created anew'))
}

async function losses(
  { cluster }: CommandContext,
  { admin, wanted, found }: DeclaredCluster,
  isMeant: (name: string) => boolean,
): Promise<readonly Reset[]> {
  const meant = wanted.filter(({ name }) => isMeant(name))
  const there = await admin.describeTopics(
    meant.flatMap(({ name }) => (found.has(name) ? [name] : [])),
  )
  const ranges =
    there.length === 0 ? [] : await partitionRanges({ ...(await cluster()), admin }, there)
  return meant.map(({ name }) => ({
    topic: name,
    messages: found.has(name)
      ? messagesIn(ranges.filter(({ topic }) => topic === name))
      : undefined,
  }))
}

const deadlineMs = 30_000

async function resetOn(
  signal: AbortSignal,
  { admin, wanted, found }: DeclaredCluster,
  isMeant: (name: string) => boolean,
): Promise<void> {
  const meant = wanted.filter(({ name }) => isMeant(name))
  const there = meant.flatMap(({ name }) => (found.has(name) ? [name] : []))
  if (there.length > 0)
    for (const { error } of await admin.deleteTopics(there))
      if (error && !isFailure(error, 'MR_TOPIC_UNKNOWN')) throw error
  // A broker may go on deleting after it has answered; a name is free when nobody knows it any more.
  const endMs = systemClock.monotonicMs() + deadlineMs
  while (there.length > 0) {
    const known = await admin.describeTopics(there)
    if (known.every(({ error }) => isFailure(error, 'MR_TOPIC_UNKNOWN'))) break
    if (systemClock.monotonicMs() > endMs)
      throw failure('MR_CLI_WAIT_TIMEOUT', {
        open: [`${there.join(', ')} are gone`],
        timeoutMs: deadlineMs,
      })
    await sleep(systemClock, 100, signal)
  }
  const missing = meant.map((one) => ({ kind: 'missing', topic: one.name, wanted: one }) as const)
  await createTopics(
    admin,
    missing.filter((one) => one.wanted.follows === undefined),
  )
  await createTopics(
    admin,
    missing.filter((one) => one.wanted.follows !== undefined),
  )
}
