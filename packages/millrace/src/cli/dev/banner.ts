/** What `millrace dev` says once everything answers. */
export interface BannerFacts {
  readonly version: string
  readonly broker: string
  readonly drainUrl: string | undefined
  readonly gatewayUrl?: string | undefined
  readonly addresses: readonly { readonly label: string; readonly url: string }[]
  readonly dataFolder: string
  readonly dataSize: string
  /** False with `--memory`. */
  readonly isDurable: boolean
  readonly application: string
  readonly consumers: readonly {
    readonly name: string
    readonly group: string
    readonly topics: readonly string[]
  }[]
  readonly readyMs: number
  /** Ports that were taken and what was used instead, repairs of the log, and the like. */
  readonly notes: readonly string[]
}

/** Addresses that answer, then data, then what runs. */
export function bannerText(facts: BannerFacts): string {
  const lines: (readonly [string, string])[] = [
    ['broker', `${facts.broker}   KAFKA_URL=kafka://${facts.broker}`],
    ['', `an ordinary Kafka cluster: kcat -b ${facts.broker} -L`],
  ]
  if (facts.drainUrl !== undefined) lines.push(['log drain', facts.drainUrl])
  if (facts.gatewayUrl !== undefined)
    lines.push(['gateway', `${facts.gatewayUrl} for Redis clients`])
  for (const { label, url } of facts.addresses) lines.push([label, url])
  lines.push([
    'data',
    facts.isDurable
      ? `${facts.dataFolder} (${facts.dataSize}), survives a crash of the process`
      : 'in memory: EVERYTHING IS GONE AT EXIT',
  ])
  lines.push(['application', facts.application])
  for (const { name, group, topics } of facts.consumers)
    lines.push(['consumer', `${name} (group ${group}) reads ${topics.join(', ')}`])
  for (const note of facts.notes) lines.push(['note', note])
  const [topic] = facts.consumers.flatMap(({ topics }) => topics)
  const look = topic === undefined ? 'topics list' : `tail ${topic}`
  lines.push(['look inside', `npx millrace ${look} --brokers ${facts.broker}`])
  lines.push(['ready', `in ${Math.round(facts.readyMs)} ms; Ctrl-C stops`])

  const width = Math.max(...lines.map(([label]) => label.length))
  return [
    `Millrace ${facts.version}`,
    ...lines.map(([label, text]) => `  ${label.padEnd(width)}  ${text}`),
  ].join('\n')
}
