import assert from 'node:assert/strict'
import { it } from 'node:test'

import { appOptions } from '../app/index.ts'
import type { OptionRow } from '../config/index.ts'
import { worker } from './commands/worker.ts'
import { globalRows, longFlag } from './words.ts'

it('takes every flag that the application’s options name', () => {
  const rows: readonly OptionRow[] = Object.values(appOptions)
  const taken = Object.entries<OptionRow>({ ...worker.options, ...globalRows }).map(([key, row]) =>
    longFlag(key, row),
  )
  for (const { flag } of rows) if (flag !== undefined) assert.ok(taken.includes(flag), flag)
})
