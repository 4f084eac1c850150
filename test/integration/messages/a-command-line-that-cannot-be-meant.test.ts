import { describe, it } from 'node:test'

import { isRefused } from './refused.ts'

const usage = { code: 'MR_CLI_USAGE', exit: 2, hint: /--help/ } as const

describe('a command line that cannot be meant', { concurrency: 2 }, () => {
  it('names the command and the option that are nearest', async () => {
    await isRefused(['topcs'], { ...usage, message: /'topcs'\s+\(Did you mean topics\?\)/ })
    await isRefused(['topics', 'lst'], { ...usage, message: /'lst'\s+\(Did you mean list\?\)/ })
    await isRefused(['topics', 'create', 'a', '--partitons', '3'], {
      ...usage,
      message: /'--partitons'\s+\(Did you mean --partitions\?\)/,
    })
    await isRefused(['dev', '--prot', '1'], { ...usage, message: /'--prot'/ })
  })

  it('names the option whose value is none, as it was typed', async () => {
    await isRefused(['dev', '--port', 'x'], { ...usage, message: /^--port: x is not a number$/m })
    await isRefused(['dev', '--drain-port', '70000'], {
      ...usage,
      message: /^--drain-port: 70000 is not a whole number from 0 to 65535$/m,
    })
    for (const port of ['99999', '-1', '1.5'])
      await isRefused(['broker', '--memory', `--port=${port}`], {
        ...usage,
        message: /--port: .* from 0 to 65535/,
      })
    await isRefused(['worker', '--log-level', 'loud'], {
      ...usage,
      message: /loud is not one of debug, info, warn, error, silent|Allowed choices/,
    })
  })

  it('names the variable when the value came from there', async () => {
    await isRefused(
      ['drain'],
      { ...usage, message: /^MILLRACE_DRAIN_PORT: many is not a number$/m },
      { env: { MILLRACE_DRAIN_PORT: 'many' } },
    )
  })

  it('names an address that is none', async () => {
    await isRefused(['topics', '--brokers', 'foo bar'], {
      code: 'MR_CLIENT_ADDRESS_INVALID',
      message: /foo bar:9092 is not a broker address/,
      hint: /host:port/,
    })
  })
})
