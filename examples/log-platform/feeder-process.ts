/** The feeder as a process: `{ data, site, drain, folder, speed }`. Says how far it is; ends when all is delivered. */
import { readAccessLog, startFeeder } from 'millrace/drain'

import { connectParent } from './child.ts'

const { options: given, tell } = connectParent()
const options = given as {
  readonly data: string
  readonly site: string
  readonly drain: string
  readonly folder: string
  readonly speed: number
}
const requests = await readAccessLog(options.data)
const feeder = await startFeeder({ ...options, requests })
tell(feeder.progress)
const timer = setInterval(() => tell(feeder.progress), 200)
await feeder.done
clearInterval(timer)
tell(feeder.progress)
await feeder.stop()
