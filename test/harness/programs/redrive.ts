/**
 * A redrive as a process of its own, so that a scenario can kill it. Argument: brokers, and options of `redrive`. Prints its
 * progress after each batch, and the report.
 */
import { redrive, type RedriveOptions } from '../../../packages/millrace/src/app/index.ts'
import { openClient } from '../../../packages/millrace/src/client/index.ts'

const { brokers, ...options } = JSON.parse(process.argv[2] ?? '{}') as RedriveOptions & {
  readonly brokers: readonly string[]
}
await using client = openClient({ brokers })
const report = await redrive(client, { ...options, onProgress: say })
say({ done: true, ...report })

function say(fact: object): void {
  process.stdout.write(`${JSON.stringify(fact)}\n`)
}
