// Makes a Parquet file of each file of `scrutinizer report --split`, by DuckDB, with the columns' types. It gets its name when it is whole.
// Usage: npm install @duckdb/node-api; SCRUTINIZER=/usr/local/bin/scrutinizer node to_parquet.mjs file.csv …
import { execFileSync } from "node:child_process";
import { closeSync, fsyncSync, openSync, renameSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const { DuckDBInstance } = await import(pathToFileURL(createRequire(process.cwd() + "/").resolve("@duckdb/node-api")));
const files = process.argv.slice(2);
if (!files.length) {
  console.error("to_parquet: usage: node to_parquet.mjs file.csv …");
  process.exit(1);
}
const database = await (await DuckDBInstance.create(":memory:")).connect();
for (const file of files) {
  const whole = file.replace(/\.csv$/, "") + ".parquet", part = whole + ".part";
  try {
    // The command checks the file's hash, and knows the types.
    const sql = execFileSync(process.env.SCRUTINIZER ?? "scrutinizer", ["schema", "windows", "--for", "duckdb", "--load", file], { encoding: "utf8" });
    await database.run(sql);
    const made = openSync(part, "r");
    fsyncSync(made);
    closeSync(made);
    renameSync(part, whole);
  } catch (error) {
    rmSync(part, { force: true });
    console.error(`to_parquet: ${file} was not converted: ${error.message}`);
    process.exit(1);
  }
  console.log(`${whole} is there`);
}
