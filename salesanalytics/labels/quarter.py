"""Words of forecasts past and present: methods, the ledger."""

from __future__ import annotations

TEXTS: dict[str, tuple[str, str]] = {
    # methods
    "method": ("Method", "方法"), "basis": ("Rests on", "依据"),
    "forecast": ("This forecast", "本预测"),
    "nominal_weighted": ("Nominal rates × open deals", "名义赢率加权"),
    "stage_week_conversion": ("Conversion by stage", "阶段转化率"),
    "same_quarter_last_year": ("Same period last year", "去年同期"),
    "rep_commit": ("What the reps commit to", "销售承诺的项目"),
    "rep_probability": ("What the reps expect", "销售自己的赢率"),
    "mean_of_last_four": ("Mean of the last four periods", "近四期均值"),
    # ledger
    "record_id": ("Record", "记录"), "recorded_at": ("Recorded (UTC)", "记录时间（UTC）"),
    "quarter": ("Quarter", "季度"), "as_of": ("As of", "截至"), "amount_unit": ("In", "单位"),
    "measure": ("Measure", "指标"),
    "signed_then": ("Signed", "实际签约"), "forecast_error": ("Forecast − signed", "预测与实际之差"),
    "in_band_80": ("In the 80 % band", "落在 80 % 区间"),
    "title_ledger": ("Recorded forecasts in {path}", "{path} 中的预测记录"),
    "title_accuracy": (
        "How they did: quarters that were over and known by {as_of}",
        "事后检验：截至 {as_of} 已结束且结果已知的季度",
    ),
    "bands_held": (
        "{measure}: the 80 % band held {k} of {n}, the 50 % band {k_50} of {n}; quarters: {quarters}.",
        "{measure}：80 % 区间命中 {n} 次中的 {k} 次，50 % 区间命中 {n} 次中的 {k_50} 次；季度数：{quarters}。",
    ),
    "damaged_record": ("Damaged: {record}: {damage}.", "记录已损坏：{record}：{damage}。"),
    "damage_missing": ("{file} is missing", "缺少 {file}"),
    "damage_unreadable": ("{file} cannot be read", "{file} 无法读取"),
    "damage_altered": ("{file} is not as it was written", "{file} 与写入时不一致"),
    "damage_newer": ("{file} was written by a later version", "{file} 由更新的版本写入"),
}  # fmt: skip
