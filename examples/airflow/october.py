"""A month of conversations in windows of a day, then one file. Airflow maps a task over the windows; the pool says how many ask the appliance at once.

Make the pool first: airflow pools set scrutinizer 4 "reports at once".
"""
from datetime import datetime, timedelta

from airflow import DAG
from airflow.operators.bash import BashOperator

REPORT = (
    "scrutinizer report conversations --month 2026-10 --timezone Europe/Berlin"
    " --select src=sourceipaddress,dst=destinationipaddress,octets=sum_octetdeltacount"
    " --split 1d --shard {} --format csv --output /data/october.csv"
)

with DAG("october", start_date=datetime(2026, 11, 1), schedule=None, catchup=False) as dag:
    report = BashOperator.partial(
        task_id="report",
        pool="scrutinizer",
        retries=5,
        retry_delay=timedelta(minutes=2),
    ).expand(bash_command=[REPORT.format(k) for k in range(31)])
    # A name that is not that of a window: october.all.csv.
    merge = BashOperator(task_id="merge", bash_command="scrutinizer merge --output /data/october.all.csv /data/october.*T*.csv")
    report >> merge
