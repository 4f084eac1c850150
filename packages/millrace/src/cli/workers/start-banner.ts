import type { ResolvedConfig } from '../../app/index.ts'
import { counted, labelled } from '../text.ts'

export interface BannerFacts {
  readonly version: string
  /** `price_drops:1`; undefined for one that runs the whole application. */
  readonly name: string | undefined
  readonly bootFile: string
  readonly environment: string
  readonly resolved: ResolvedConfig
  readonly isAligned: boolean
}

/** What a worker says before it starts: what runs, as whom, against which cluster. */
export function startBanner({
  version,
  name,
  bootFile,
  environment,
  resolved,
  isAligned,
}: BannerFacts): string {
  const { clientName, clusters, plans } = resolved
  const groups = [...Map.groupBy(plans, ({ group }) => group)].map(([group, members]) => {
    const topics = [...new Set(members.flatMap((plan) => plan.topics.map((one) => one.name)))]
    return `${group} (${topics.join(', ')})`
  })
  const others = clusters.slice(1).map((one) => `${one.name} ${one.brokers.join(', ')}`)
  return labelled(
    `millrace ${version} worker${name === undefined ? '' : ` ${name}`}, Node ${process.versions.node}`,
    [
      ['Client id', clientName],
      ['Boot file', bootFile],
      ['Environment', environment],
      ['Brokers', [(clusters[0]?.brokers ?? []).join(', '), ...others].join('; ')],
      ['Groups', groups.length === 0 ? 'none' : groups.join(', ')],
      ['Consumers', counted(plans.length, 'consumer')],
    ],
    { isAligned },
  )
}
