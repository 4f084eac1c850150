import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { cachedKafka } from '../../tools/kafka/fetch-kafka.ts'
import { missingTool } from '../harness/tool.ts'

const run = promisify(execFile)
const jars = cachedKafka()

/** Why Kafka's own tools cannot run here, if they cannot. */
export const missingJava =
  (await missingTool('java', ['-version'], 'version 17 or newer')) ??
  (jars === undefined
    ? "Kafka's jars are not in the cache folder: `npm run test:kafka` fetches them"
    : undefined)

/** The command line of one of Kafka's tools, with a small heap and a quick start. */
export function javaTool(name: string, ...args: readonly string[]): readonly string[] {
  return [
    'java',
    '-Xmx256M',
    '-XX:+UseSerialGC',
    '-XX:TieredStopAtLevel=1',
    '-Dorg.slf4j.simpleLogger.defaultLogLevel=off',
    '-Dlog4j2.level=off',
    '-cp',
    `${jars}/*`,
    `org.apache.kafka.tools.${name}`,
    ...args,
  ]
}

/** What a tool prints; rejects with it when the tool fails. */
export async function runJavaTool(name: string, ...args: readonly string[]): Promise<string> {
  const [command = '', ...rest] = javaTool(name, ...args)
  const { stdout } = await run(command, rest)
  return stdout
}
