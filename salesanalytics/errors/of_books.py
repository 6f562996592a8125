"""What errors about files, books and processes say, in Chinese; ``{name}`` stands for what an error fills in."""

from __future__ import annotations

TEXTS: dict[str, str] = {
    # files
    "{path}: files of this kind are not read. Save it as one of {kinds}.": (
        "{path}：不支持读取这类文件。请另存为以下格式之一：{kinds}。"
    ),
    "{path}: the folder {folder} does not exist. Check the path.": "{path}：文件夹 {folder} 不存在。请检查路径。",
    "{path}: there is no such file. {hint} Check the name.": "{path}：没有这个文件。{hint}请检查文件名。",
    "The nearest names there are {names}.": "该处最相近的文件名是 {names}。",
    "The folder holds no files.": "该文件夹中没有文件。",
    "{path}: the file is empty, it has no header row. Export it again, or remove it.": (
        "{path}：文件是空的，没有表头行。请重新导出，或删除它。"
    ),
    "{folder}: table {table} is there {n} times ({names}). Keep one of them.": (
        "{folder}：表 {table} 出现了 {n} 次（{names}）。请只保留一个。"
    ),
    "{source}: column name repeated: {names}. Rename or remove all but one.": (
        "{source}：列名重复：{names}。请改名，或只保留一列。"
    ),
    "{path}: cannot be read as {what}. Save it as utf-8, or name its `encoding` in book.yaml.": (
        "{path}：无法按 {what} 读取。请另存为 utf-8，或在 book.yaml 中用 `encoding` 写明编码。"
    ),
    "text in {encoding}: it holds NUL characters": "{encoding} 文本（其中含有 NUL 字符）",
    "one encoding for certain: gb18030 and cp1252 both fit": "唯一确定的编码（gb18030 与 cp1252 都说得通）",
    "utf-8, gb18030 or cp1252": "utf-8、gb18030 或 cp1252",
    "{encoding} ({reason} at byte {place})": "{encoding}（第 {place} 字节：{reason}）",
    '{path}: a quote (") opened in data row {row} is never closed. Remove it.': (
        '{path}：第 {row} 条数据行中的引号（"）没有闭合。请删除它。'
    ),
    "{path}: there is no sheet {sheet}. Sheets: {names}.": "{path}：没有工作表 {sheet}。现有工作表：{names}。",
    "{path}: {n} sheets hold data: {names}. Name one as `sheet`.": (
        "{path}：有 {n} 个工作表含有数据：{names}。请用 `sheet` 指定其中一个。"
    ),
    "{path}: not a whole gzip file ({error}). Copy or compress it again.": (
        "{path}：不是完整的 gzip 文件（{error}）。请重新复制或压缩。"
    ),
    "{path}: encoding {encoding} is unknown. Write for example utf-8 or cp1252.": (
        "{path}：未知的编码 {encoding}。请写例如 utf-8 或 cp1252。"
    ),
    '{path}: cannot be split into rows ({error}). Look for an open quote (").': (
        '{path}：无法拆分成行（{error}）。请检查是否有未闭合的引号（"）。'
    ),
    "{path}: not a parquet file ({error}). Export it again.": "{path}：不是 parquet 文件（{error}）。请重新导出。",
    "{path}: not a real xlsx file ({error}). Open it and save it as xlsx or csv.": (
        "{path}：不是真正的 xlsx 文件（{error}）。请打开后另存为 xlsx 或 csv。"
    ),
    "{path}: cell {cell} is a formula that was never computed, and so has no value. Open the file in a spreadsheet "
    "program and save it.": "{path}：单元格 {cell} 的公式从未计算，因此没有值。请用电子表格软件打开该文件并保存。",
    "{path}: row {row} has another number of columns than the first: {text}": (
        "{path}：第 {row} 行的列数与第一行不同：{text}"
    ),
    # tables of a book
    "{path} is not a folder. A book is a folder with a deals and a history table.": (
        "{path} 不是文件夹。账本是一个含有项目表（deals）和历史表（history）的文件夹。"
    ),
    "{folder}: required table missing: {names}. Files found: {found}. Name the files as the tables (deals.csv, "
    "history.csv), or say under tables.<table>.file in book.yaml where they are.": (
        "{folder}：缺少必需的表：{names}。现有文件：{found}。请按表名给文件命名（deals.csv、history.csv），"
        "或在 book.yaml 的 tables.<表名>.file 中写明文件。"
    ),
    "{table} is there as {names}, which is not read. Save it as xlsx or csv.": (
        "表 {table} 的文件是 {names}，这类文件不读取。请另存为 xlsx 或 csv。"
    ),
    "{name} must be a table (pandas, Polars, PyArrow, a DuckDB relation), got {kind}. Files are read by read_book; "
    "rows in a list become a table with pandas.DataFrame(rows).": (
        "{name} 必须是表（pandas、Polars、PyArrow 或 DuckDB relation），得到的是 {kind}。文件请用 read_book 读取；"
        "列表中的行可用 pandas.DataFrame(rows) 变成表。"
    ),
    "{table}: required column missing: {names}. Columns found: {found}. Name the right ones under "
    "tables.{again}.columns in book.yaml.": (
        "{table}：缺少必需的列：{names}。现有列：{found}。请在 book.yaml 的 tables.{again}.columns 中写明对应的列。"
    ),
    "attributes: {names}: tables made of a book have columns of that name. Give it another one in book.yaml, in "
    "`attributes` and as `my_{first}: {again}` under tables.deals.columns.": (
        "attributes：{names}：由账本生成的表已有同名的列。请在 book.yaml 中另取名字：写入 `attributes`，"
        "并在 tables.deals.columns 下写 `my_{first}: {again}`。"
    ),
    "deals: attribute column missing: {names}. Columns found: {found}. Mend `attributes` in book.yaml.": (
        "deals：缺少属性列：{names}。现有列：{found}。请修改 book.yaml 中的 `attributes`。"
    ),
    "deals: column {name} of ended_status is missing. Columns found: {found}. Name the right one under "
    "tables.deals.ended_status in book.yaml.": (
        "deals：缺少 ended_status 所用的列 {name}。现有列：{found}。"
        "请在 book.yaml 的 tables.deals.ended_status 中写明正确的列。"
    ),
    "deals.currency: amounts in several currencies ({names}) cannot be added; {n} deals in {which} have no rate "
    "(e.g. {ids}). Give currency and rates in book.yaml.": (
        "deals.currency：多种货币（{names}）的金额不能相加；{n} 个 {which} 的项目没有汇率（例如 {ids}）。"
        "请在 book.yaml 中给出 currency 和 rates。"
    ),
    "Amounts bear the signs of several currencies ({examples}), which cannot be added. Give deals a column `currency`, "
    "and currency and rates in book.yaml.": (
        "金额带有多种货币的符号（{examples}），不能相加。请在项目表（deals）中加一列 `currency`，"
        "并在 book.yaml 中给出 currency 和 rates。"
    ),
    "The book has no dated row at all, so there is no date as of which to judge it.": (
        "账本中没有任何带日期的行，因此没有可据以判断的截止日。"
    ),
    "{table}: {n} of {read} rows are dated from {first} to {last}, though all others end on {end} (deals {ids}). Mend "
    "their dates, or state extracted_on, the day of the extract, in book.yaml: what is dated after it is set aside.": (
        "{table}：{read} 行中有 {n} 行的日期在 {first} 至 {last} 之间，而其余各行都止于 {end}（项目 {ids}）。"
        "请修正这些日期，或在 book.yaml 中用 extracted_on 写明导出日：日期在其后的行会被剔除。"
    ),
    "history.recorded_at: all {read} rows were recorded on one day, {day}, though they happened on {n} days: by it, "
    "nothing was known before. Leave out the column where it is the day of an import or an export.": (
        "history.recorded_at：全部 {read} 行都在同一天（{day}）登记，而它们发生在 {n} 个不同的日子："
        "照此，在那之前一无所知。若它是导入或导出的日期，请去掉这一列。"
    ),
    "history (wide_dates): {what}. Columns found: {found}. States: {states}. Mend tables.history in book.yaml.": (
        "history（wide_dates）：{what}。现有列：{found}。状态：{states}。请修改 book.yaml 中的 tables.history。"
    ),
    "history: no row is about a stage (`field` is never `stage`). Unknown fields: {found}. Map them under "
    "tables.history.values in book.yaml, for example `field: {map}`.": (
        "history：没有任何一行是关于阶段的（`field` 从不是 `stage`）。未知的字段：{found}。"
        "请在 book.yaml 的 tables.history.values 中写明对应关系，例如 `field: {map}`。"
    ),
    "column missing: {names}": "缺少列：{names}",
    "`dates` names no state of the process: {names}": "`dates` 写了流程中没有的状态：{names}",
    "`dates` names no column": "`dates` 没有写任何列",
    "won_on_entering must be a stage of the process, got {got}. Write one of {names} in book.yaml.": (
        "won_on_entering 必须是流程中的阶段，得到的是 {got}。请在 book.yaml 中写以下之一：{names}。"
    ),
    "{table}: {n} of {read} rows break the contract ({share}, limit {limit})": (
        "{table}：{read} 行中有 {n} 行不符合数据约定（{share}，上限 {limit}）"
    ),
    "deals: {n} of {read} stand in a stage that is not known ({share}, limit {limit})": (
        "deals：{read} 个项目中有 {n} 个处于未知的阶段（{share}，上限 {limit}）"
    ),
    "{where}: {rule}, rows: {n} (row {rows})": "{where}：{rule}，{n} 行（第 {rows} 行）",
    "{where}: {rule}, rows: {n} (row {rows}); deals {ids}": "{where}：{rule}，{n} 行（第 {rows} 行）；项目 {ids}",
    "{where}: {rule}, rows: {n} (row {rows}); values {values}": (
        "{where}：{rule}，{n} 行（第 {rows} 行）；取值 {values}"
    ),
    "{where}: {rule}, rows: {n} (row {rows}); deals {ids}; values {values}": (
        "{where}：{rule}，{n} 行（第 {rows} 行）；项目 {ids}；取值 {values}"
    ),
    "Mend the source, map it in book.yaml, or raise limit_set_aside there if this share is meant.": (
        "请修正数据来源，或在 book.yaml 中写明对应关系；若这一比例属实，请在其中调高 limit_set_aside。"
    ),
    'Dates in a form of their own are read by `date_format` in book.yaml, such as "%d/%m/%Y" (%y: a year of two '
    "digits), or a list of all forms in the files.": (
        '特殊写法的日期可在 book.yaml 中用 `date_format` 写明，例如 "%d/%m/%Y"（两位数的年份用 %y）；'
        "文件中有多种写法时，请写成列表。"
    ),
    "Numbers are read like 1,200,000 or 1.200.000,50 € or ¥120万; take other signs and words out of them.": (
        "数字可写作 1,200,000、1.200.000,50 € 或 ¥120万；请去掉其中的其他符号和文字。"
    ),
    "The table deals has no rows: export it again.": "项目表（deals）没有任何行：请重新导出。",
    "The table deals writes its ids as {ids}: the history must write them alike.": (
        "项目表（deals）中的 id 写作 {ids}：历史表（history）须写法一致。"
    ),
    "Known stages: {names}. Stages of your own belong in process.yaml.": (
        "已知的阶段：{names}。自己的阶段请写在 process.yaml 中。"
    ),
    # dates and numbers
    "Column {column}: times with a zone or in milliseconds (UTC), but the book has no `timezone`: {what}. Write "
    "for example `timezone: Asia/Shanghai` in book.yaml; times are kept in that zone.": (
        "列 {column}：时间带有时区，或是毫秒数（UTC），但账本没有写 `timezone`：{what}。"
        "请在 book.yaml 中写例如 `timezone: Asia/Shanghai`；时间将按该时区保存。"
    ),
    "the column is in {zone}": "该列的时区是 {zone}",
    "timezone {zone} is unknown. Write it like Asia/Shanghai or Europe/Berlin in book.yaml.": (
        "未知的时区 {zone}。请在 book.yaml 中写成 Asia/Shanghai 或 Europe/Berlin 的形式。"
    ),
    "{n} value(s), for example {examples}": "{n} 个值，例如 {examples}",
    'Column {column}: decimal must be "." or ",", got {got}.': (
        '列 {column}：decimal 必须是 "." 或 ","，得到的是 {got}。'
    ),
    "Column {column}: date_format {form} is no strptime format. {hint}": (
        "列 {column}：date_format {form} 不是 strptime 格式。{hint}"
    ),
    "Column {column}: date_format {form} is not understood ({error}). {hint}": (
        "列 {column}：无法理解 date_format {form}（{error}）。{hint}"
    ),
    'Write it like "%d/%m/%Y" in book.yaml.': '请在 book.yaml 中写成 "%d/%m/%Y" 的形式。',
    "Column {column}: day or month first? No value decides: {what}. Write {hint}": (
        "列 {column}：日在前还是月在前？没有任何值能够判定：{what}。请写{hint}"
    ),
    "Column {column}: both orders occur: day first in {days}; month first in {months}. Repair them, or write {hint}": (
        "列 {column}：两种顺序都有：日在前的有 {days}；月在前的有 {months}。请修正，或写{hint}"
    ),
    '`date_format: "%d/%m/%Y"` or `"%m/%d/%Y"` in book.yaml, with the separator of the file.': (
        '明 `date_format: "%d/%m/%Y"` 或 `"%m/%d/%Y"`（在 book.yaml 中，分隔符与文件一致）。'
    ),
    "Column {column}: decimal point in {points}; decimal comma in {commas}. Repair them, or write {hint}": (
        "列 {column}：小数点用“.”的有 {points}；用“,”的有 {commas}。请修正，或写{hint}"
    ),
    "Column {column}: is the dot a decimal point or a separator of thousands? No value decides: {what}. Write {hint}": (
        "列 {column}：点是小数点还是千位分隔符？没有任何值能够判定：{what}。请写{hint}"
    ),
    '`decimal: "."` or `decimal: ","` in book.yaml.': '明 `decimal: "."` 或 `decimal: ","`（在 book.yaml 中）。',
    # book.yaml
    "book.yaml must be {fault}.": "book.yaml 必须是{fault}。",
    "book.yaml must be a mapping of settings, got {kind}.": "book.yaml 必须是设置的映射，得到的是 {kind}。",
    "book.yaml has faults:\n{faults}": "book.yaml 有错误：\n{faults}",
    "rates need `currency`: they are the value of one unit in it": (
        "rates 需要 `currency`：汇率是一个单位折合成它的价值"
    ),
    "observed_from ({first}) lies after extracted_on ({last})": "observed_from（{first}）晚于 extracted_on（{last}）",
    "{where}: unknown setting {key}; known are {names}": "{where}：未知的设置 {key}；可用的有 {names}",
    "{where}: unknown table; known are {names}": "{where}：未知的表；可用的有 {names}",
    "{where}: only a history has another shape than changes": "{where}：只有历史表可以有 changes 以外的形式",
    "{where} must be a file name or a mapping, got {got}": "{where} 必须是文件名或映射，得到的是 {got}",
    "{where}: {key} must be one of {names}, got {got}": "{where}：{key} 必须是以下之一：{names}，得到的是 {got}",
    "{where}: {key} must be {what}, got {got}": "{where}：{key} 必须是{what}，得到的是 {got}",
    # process.yaml, and what a value of a settings file must be
    "{source} breaks {n} rule(s) of a process file; correct there:\n{listed}": (
        "{source} 违反了流程文件的 {n} 条规则，请在该处修正：\n{listed}"
    ),
    "Process file {source} must be {fault}, or leave the path out for the built-in process.": (
        "流程文件 {source} 必须是{fault}；或省去路径，使用内置流程。"
    ),
    "a file that can be read, got: {error}; correct the path": "可以读取的文件，得到的是：{error}；请修正路径",
    "UTF-8 text, got the byte {byte}; save it as UTF-8": " UTF-8 文本，遇到的字节是 {byte}；请另存为 UTF-8",
    "valid YAML, which ends in line {line} ({again}); look there for tabs, indentation, colons, quotes, brackets": (
        "有效的 YAML，第 {line} 行开始读不通；请检查该处的制表符、缩进、冒号、引号和括号"
    ),
    "valid YAML, in which every date exists ({again}); look for one such as 2026-02-30": (
        "有效的 YAML，其中的日期都须存在；请查找 2026-02-30 这样的日期"
    ),
    "valid YAML ({again}); look for characters that cannot be printed": "有效的 YAML；请检查是否有不可见的控制字符",
    "{where} must be {what}, got {got}.": "{where} 必须是{what}，得到的是 {got}。",
    "{where} may have only the keys {names}, got {got}.": "{where} 只能有以下键：{names}，得到的是 {got}。",
    "id {name} must be used once, got it at {places}.": "id {name} 只能用一次，出现在 {places}。",
    "key {name} must be used once, got it at {places}.": "key {name} 只能用一次，出现在 {places}。",
    "text (in quotes if it looks like a number, a date or yes/no)": "文本（若像数字、日期或 yes/no，请加引号）",
    "a number >= 0": "不小于 0 的数",
    "a number from 0 to {high}": " 0 到 {high} 的数",
    "a list of at least one stage": "至少含一个阶段的列表",
    "a list with the end state won": "含结束状态 won 的列表",
    "text or a whole number": "文本或整数",
    "a mapping": "映射",
    "a list": "列表",
    "a number": "数",
    "true or false": " true 或 false",
    "one of {names}": "以下之一：{names}",
    "left out: the file has nothing that it could name": "空的（省去）：文件中没有它可以引用的项",
    "the file": "整个文件",
    "text": "文本",
    "a date such as 2026-09-30": " 2026-09-30 这样的日期",
    "a list of texts": "文本的列表",
    "a mapping of names": "名称的映射",
    "a mapping of currencies to positive numbers": "货币到正数的映射",
    "a month 1..12": " 1 到 12 的月份",
    'text such as "%d/%m/%Y", or a list': ' "%d/%m/%Y" 这样的文本，或其列表',
    "a share between 0 and 1": " 0 到 1 之间的比例",
    "a mapping of table names": "表名的映射",
    "a mapping of mappings": "映射的映射",
    "`column` (a name) and `values` (a list)": " `column`（列名）和 `values`（列表）",
    "stage_id must be one of {names}, got {got}.": "stage_id 必须是以下之一：{names}，得到的是 {got}。",
    "lang must be 'zh' or 'en', got {got}.": "lang 必须是 'zh' 或 'en'，得到的是 {got}。",
    "item_id must be an id of the process {process}, got {got}.": (
        "item_id 必须是流程 {process} 中的 id，得到的是 {got}。"
    ),
}
