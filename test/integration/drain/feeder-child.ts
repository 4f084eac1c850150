/** A feeder as a process of its own, so that a test can kill it. Arguments: one JSON object. */
import { startFeeder, type LoggedRequest } from '../../../packages/millrace/src/drain/index.ts'

const options = JSON.parse(process.argv[2] ?? '{}') as {
  readonly requests: readonly LoggedRequest[]
  readonly site: string
  readonly drain: string
  readonly folder: string
}
const feeder = await startFeeder({ ...options, speed: Number.POSITIVE_INFINITY, concurrency: 4 })
await feeder.done
await feeder.stop()
