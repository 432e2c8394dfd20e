"""Reports of two fictional companies as files, for tests of figures."""

MARROWBY_2023 = """# Marrowby Foods Inc. Annual Report 2023

Form 10-K for the fiscal year ended December 31, 2023

## Consolidated Statements of Operations

(In thousands, except per share data)

| | Year ended December 31, 2023 | Year ended December 31, 2022 |
|---|---|---|
| Revenues | | |
| Groceries | $ 800,000 | $ 700,000 |
| Services | 200,000 | 100,000 |
| Total revenues | 1,000,000 | 800,000 |
| Cost of sales | (600,000) | (520,000) |
| Impairment of goodwill | - | 3,000 |
| Operating income | 150,000 | 100,000 |
| Income before income taxes | 140,000 | 90,000 |
| Provision for income taxes | (35,000) | (20,000) |
| Net income | $ 105,000 | $ 70,000 |
| Net income per share | | |
| Diluted | $ 1.05 | $ 0.70 |

## Consolidated Balance Sheets

(In thousands)

| | December 31, 2023 | December 31, 2022 |
|---|---|---|
| Cash and cash equivalents | $ 50,000 | $ 40,000 |
| Accounts receivable, net | 70,000 | 60,000 |
| Inventories | 80,000 | 75,000 |
| Other current assets | 1,000 | 1,000 |
| Total current assets | 200,000 | 175,000 |
| Total assets | $ 900,000 | $ 850,000 |
| Accounts payable | 90,000 | 85,000 |
| Total current liabilities | 160,000 | 150,000 |
| Total liabilities | 400,000 | 390,000 |
| Total stockholders' equity | 500,000 | 460,000 |
| Total liabilities and stockholders' equity | $ 900,000 | $ 850,000 |

## Consolidated Statements of Cash Flows

(In thousands)

| | Year ended December 31, 2023 | Year ended December 31, 2022 |
|---|---|---|
| Net income | $ 105,000 | $ 70,000 |
| Depreciation and amortization | 40,000 | 38,000 |
| Accounts payable | 5,000 | 2,000 |
| Net cash provided by operating activities | 130,000 | 120,000 |
| Capital expenditures | (45,000) | (41,000) |
| Net cash used in investing activities | (45,000) | (41,000) |
| Dividends paid | (30,000) | (28,000) |
| Net cash used in financing activities | (75,000) | (60,000) |
| Cash and cash equivalents at end of year | $ 50,000 | $ 40,000 |
"""

MARROWBY_2022 = """# Marrowby Foods Inc. Annual Report 2022

Form 10-K for the fiscal year ended December 31, 2022

## Consolidated Balance Sheets

(In thousands)

| | December 31, 2022 | December 31, 2021 |
|---|---|---|
| Cash and cash equivalents | $ 40,000 | $ 35,000 |
| Accounts receivable, net | 60,000 | 50,000 |
| Inventories | 75,000 | 65,000 |
| Total current assets | 175,000 | 150,000 |
| Total assets | $ 850,000 | $ 700,000 |
| Accounts payable | 85,000 | 80,000 |
| Total current liabilities | 150,000 | 125,000 |
| Total liabilities | 390,000 | 300,000 |
| Total stockholders' equity | 460,000 | 400,000 |
| Total liabilities and stockholders' equity | $ 850,000 | $ 700,000 |
"""

OTHER_2023 = """# Pellwood Rail Inc. Annual Report 2023

Form 10-K for the fiscal year ended December 31, 2023

## Consolidated Balance Sheets

(In millions)

| | December 31, 2023 | December 31, 2022 |
|---|---|---|
| Cash and cash equivalents | $ 9 | $ 8 |
| Accounts receivable, net | 7 | 6 |
| Total current assets | 20 | 17 |
| Total assets | $ 90 | $ 85 |
| Accounts payable | 9 | 8 |
| Total current liabilities | 16 | 15 |
| Total liabilities | 40 | 39 |
| Total stockholders' equity | 50 | 46 |
| Total liabilities and stockholders' equity | $ 90 | $ 85 |
"""

CHINESE_2024 = """# 澄原示例股份有限公司2024年年度报告

报告期：2024年1月1日至2024年12月31日

## 合并利润表

单位：万元

| 项目 | 本期金额 | 上期金额 |
|---|---|---|
| 一、营业收入 | 50,000.00 | 40,000.00 |
| 减：营业成本 | 30,000.00 | 26,000.00 |
| 二、营业利润 | 8,000.00 | 6,000.00 |
| 三、利润总额 | 8,000.00 | 6,000.00 |
| 减：所得税费用 | 2,000.00 | 1,500.00 |
| 四、净利润 | 6,000.00 | 4,500.00 |

## 合并资产负债表

单位：万元

| 项目 | 期末余额 | 期初余额 |
|---|---|---|
| 货币资金 | 5,000.00 | 4,000.00 |
| 应收账款 | 3,000.00 | 2,500.00 |
| 存货 | 2,000.00 | 1,500.00 |
| 流动资产合计 | 12,000.00 | 9,000.00 |
| 资产总计 | 60,000.00 | 50,000.00 |
| 应付账款 | 2,000.00 | 1,800.00 |
| 流动负债合计 | 8,000.00 | 7,500.00 |
| 负债合计 | 20,000.00 | 18,000.00 |
| 所有者权益合计 | 40,000.00 | 32,000.00 |
| 负债和所有者权益总计 | 60,000.00 | 50,000.00 |
"""

FILES = {
    "marrowby-2023.md": MARROWBY_2023,
    "marrowby-2022.md": MARROWBY_2022,
    "pellwood-2023.md": OTHER_2023,
    "chengyuan-2024.md": CHINESE_2024,
}
