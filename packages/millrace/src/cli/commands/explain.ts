import { errorTable, failure, type ErrorRow } from '../../errors/index.ts'
import { nearest } from '../../kit/index.ts'
import { defineCommand } from '../command.ts'

export const explain = defineCommand({
  arguments: { code: { about: 'the code, MR_...' } },
  options: {},
  examples: ['millrace explain MR_STORAGE_LOCKED'],

  async run({ code }, { print }) {
    const rows: Readonly<Record<string, ErrorRow>> = errorTable
    const row = rows[code.toUpperCase()]
    if (!row) {
      const near = nearest(code.toUpperCase(), Object.keys(rows))
      throw failure('MR_CLI_USAGE', {
        reason: `there is no error ${code}${near === undefined ? '' : `; did you mean ${near}?`}`,
      })
    }
    const document = {
      code: code.toUpperCase(),
      class: row.class,
      retriable: row.retriable,
      hint: row.hint,
    }
    await print.document(
      document,
      () =>
        `${document.code} (${row.class}${row.retriable ? ', may succeed when tried again' : ''})\n${row.hint}`,
    )
  },
})
