import { internals } from '../../app/index.ts'
import { failure } from '../../errors/index.ts'
import type { CommandContext } from '../command.ts'
import { exitCodes } from '../exit-code.ts'
import { applyDifferences, hasKeys } from './apply-differences.ts'
import { differenceText } from './difference-text.ts'
import { openDeclared, type DeclaredCluster } from './open-declared.ts'

type Difference = internals.TopicDifference

export interface DeclaredOptions {
  /** What this command changes; anything else is left alone. */
  readonly changes: readonly Difference['kind'][]
  /** What it shows beside that. */
  readonly shows?: readonly Difference['kind'][]
  readonly isDryRun: boolean
  readonly allowsKeyMove?: boolean
  /** 2 when there is a difference, or was one. */
  readonly hasDetailedExitCode: boolean
}

interface Part {
  readonly cluster: DeclaredCluster
  readonly changes: readonly Difference[]
  readonly shown: readonly Difference[]
}

/**
 * Shows how declarations and clusters differ, and changes what the command is for.
 * @throws MR_TOPICS_KEYS_WOULD_MOVE before anything is changed
 */
export async function runDeclared(
  context: CommandContext,
  options: DeclaredOptions,
): Promise<number> {
  const { print } = context
  const { changes, shows = [], isDryRun, allowsKeyMove = false } = options
  await using declared = await openDeclared(context)
  const parts = declared.clusters.map((cluster): Part => {
    const differences = internals.compareTopics(cluster.wanted, cluster.found)
    const own = differences.filter(({ kind }) => changes.includes(kind))
    return {
      cluster,
      changes: own,
      shown: differences.filter((one) => own.includes(one) || shows.includes(one.kind)),
    }
  })
  const shown = parts.flatMap((part) => part.shown)
  const isChange = !isDryRun && parts.some((part) => part.changes.length > 0)
  if (isChange && !allowsKeyMove) await refuseKeyMoves(parts)
  if (isChange) for (const part of parts) await applyDifferences(part.cluster, part.changes)

  const document = { executed: isChange, differences: shown.map(toDocument) }
  await print.document(document, () => shown.map(differenceText).join('\n'))
  const hasChanges = parts.some((part) => part.changes.length > 0)
  if (shown.length === 0) print.talk('Nothing to do: the cluster has what is declared.')
  else if (isChange) print.talk('Done.')
  else if (hasChanges && changes.length > 0) print.talk('Nothing was changed.')
  const isDifferent = isChange || shown.length > 0
  return options.hasDetailedExitCode && isDifferent ? exitCodes.difference : exitCodes.done
}

async function refuseKeyMoves(parts: readonly Part[]): Promise<void> {
  const moved: string[] = []
  for (const { cluster, changes } of parts)
    for (const { kind, topic } of changes)
      if (kind === 'partitions' && (await hasKeys(cluster, topic))) moved.push(topic)
  if (moved.length > 0) throw failure('MR_TOPICS_KEYS_WOULD_MOVE', { topics: moved })
}

/** A missing topic with what it will be made of. */
function toDocument(difference: Difference): object {
  if (difference.kind !== 'missing') return difference
  const { partitions, replicas, configs } = difference.wanted
  return { kind: difference.kind, topic: difference.topic, partitions, replicas, configs }
}
