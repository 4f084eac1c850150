import { failure } from '../errors/index.ts'
import { parseDuration } from '../kit/index.ts'

/** What create and alter let people say of a topic's settings in their words. */
export interface ConfigWords {
  readonly retention: string | undefined
  /** Undefined leaves the policy as it is. */
  readonly isCompacted: boolean | undefined
  /** `name=value` by Kafka's names; they win. */
  readonly pairs: readonly string[] | undefined
}

/** Settings by Kafka's names. @throws MR_CLI_USAGE */
export function topicConfigs({
  retention,
  isCompacted,
  pairs = [],
}: ConfigWords): Readonly<Record<string, string>> {
  const configs: Record<string, string> = {}
  if (retention !== undefined) configs['retention.ms'] = String(retentionMs(retention))
  if (isCompacted !== undefined) configs['cleanup.policy'] = isCompacted ? 'compact' : 'delete'
  for (const pair of pairs) {
    const at = pair.indexOf('=')
    if (at < 1) throw failure('MR_CLI_USAGE', { reason: `--set ${pair} is not name=value` })
    configs[pair.slice(0, at)] = pair.slice(at + 1)
  }
  return configs
}

function retentionMs(text: string): number {
  const ms = text === 'forever' ? -1 : parseDuration(text)
  if (ms !== undefined) return ms
  throw failure('MR_CLI_USAGE', {
    reason: `--retention ${text} is not a duration; write 7d, 24h or forever`,
  })
}
