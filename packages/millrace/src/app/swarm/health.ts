import type { HealthAnswer } from '../health/index.ts'
import type { Child } from './child.ts'

/** One answer for all children: live while each is, or is about to be started again; ready when each works. */
export function swarmAnswer(
  what: 'live' | 'ready',
  state: string,
  children: readonly Child[],
): HealthAnswer {
  const reasons = children.flatMap((child) => reasonsOf(what, child))
  if (what === 'ready' && state !== 'supervising') reasons.unshift(`the parent is ${state}`)
  return {
    isOk: reasons.length === 0,
    body: {
      status: reasons.length === 0 ? 'ok' : 'failing',
      reasons,
      alarms: children.flatMap(({ spec, status }) =>
        (status?.alarms ?? []).map((text) => `${spec.name}: ${text}`),
      ),
      state,
      children: children.map(({ spec, state: own, process, restarts, status }) => ({
        name: spec.name,
        state: own === 'running' ? (status?.state ?? own) : own,
        pid: process?.pid ?? null,
        restarts,
        memoryBytes: status?.memoryBytes ?? null,
        groups: status?.groups ?? [],
        partitions: status?.partitions ?? [],
      })),
    },
  }
}

function reasonsOf(what: 'live' | 'ready', { spec, state, status }: Child): string[] {
  const { name } = spec
  // Whoever is not there is the parent's business: it starts it again.
  if (state !== 'running' || status === undefined)
    return what === 'ready' ? [`${name} is ${state}`] : []
  const isFine = what === 'live' ? status.isLive : status.isReady
  return isFine ? [] : status.reasons.map((reason) => `${name}: ${reason}`)
}
