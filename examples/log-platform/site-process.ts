/** One site as a process: `{ name, data, accessLog, port }`. Says its URL and, as it goes, what it has logged. */
import { readAccessLog, startSite } from 'millrace/drain'

import { connectParent } from './child.ts'

const { options: given, tell } = connectParent()
const options = given as {
  readonly data: string
  readonly accessLog: string
  readonly port: number
}
const requests = await readAccessLog(options.data)
const site = await startSite({ requests, accessLog: options.accessLog, port: options.port })
const state = (): object => ({
  url: site.url,
  port: site.port,
  logged: site.logged,
  repeats: site.repeats,
})
tell(state())
setInterval(() => tell(state()), 200).unref()
